// SPDX-License-Identifier: MIT
// A receiver of Fluentd's forward protocol that nobody here wrote: the server of
// @fluent-org/logger. Says which port it has, then each event as a line of JSON.
//
// usage: node fluentd_receiver.js MODULE PORT [SHARED_KEY]
"use strict";

const [, , module_path, port, sharedKey] = process.argv;
const { FluentServer } = require(module_path);

const server = new FluentServer({
	listenOptions: { host: "127.0.0.1", port: Number(port) },
	security: sharedKey && { serverHostname: "localhost", sharedKey },
});
server.on("entry", (tag, time, record) => {
	const { epoch, nano } = time; // an EventTime
	console.log(JSON.stringify({ tag, epoch, nano, record }));
});
server.listen().then(() => console.log(server.port));
