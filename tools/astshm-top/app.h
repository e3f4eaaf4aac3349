/* SPDX-License-Identifier: MIT */
/*
 * What the user has set by keys, and the screen that follows from it: without a
 * terminal, so that tests can press keys and read pages.
 */
#ifndef TOP_APP_H
#define TOP_APP_H

#include "format.h"
#include "model.h"
#include "page.h"
#include "table.h"

/* Keys: Unicode code points, and these. */
enum {
	KEY_CODE_UP = 0x110000,
	KEY_CODE_DOWN,
	KEY_CODE_LEFT,
	KEY_CODE_RIGHT,
	KEY_CODE_PAGE_UP,
	KEY_CODE_PAGE_DOWN,
	KEY_CODE_HOME,
	KEY_CODE_END,
	KEY_CODE_ENTER,
	KEY_CODE_ESCAPE,
	KEY_CODE_BACKSPACE,
	KEY_CODE_NONE, /* some other key */
};

enum mode {
	MODE_MAIN,
	MODE_FILTER, /* the same, while a filter is being typed */
	MODE_DETAIL,
	MODE_HELP,
};

/* What the main screen is made of; the rest of it gives way where there is no room. */
enum layout { LAYOUT_BOTH, LAYOUT_TABLE, LAYOUT_DASHBOARD, LAYOUT_COUNT };

struct app {
	struct model *model;
	struct table table;
	enum mode mode;
	enum mode before_help;
	enum layout layout;
	enum units units;
	bool paused;
	bool quit;
	bool stale;               /* the model has to be refreshed for what was asked */
	enum view drawn;          /* whose histogram the detail view draws */
	size_t scroll;            /* first line of the detail, help or dashboard shown */
	char filter_before[128];  /* while a new one is being typed */
	unsigned page_rows;       /* as far as a page key goes */
	struct page content;      /* what is scrolled */
};

void app_init(struct app *app, struct model *model, bool utf8);
void app_fini(struct app *app);

void app_key(struct app *app, uint32_t key);

/* After each refresh of the model. */
int app_update(struct app *app);

/* Exactly what is to be seen: at most `height` lines. */
void app_put(struct app *app, struct page *page, unsigned width, unsigned height);

#endif
