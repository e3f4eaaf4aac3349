// SPDX-License-Identifier: MIT
// Elements without markup in strings: names and texts are a stranger's.

export function by(id) {
	return document.getElementById(id);
}

function set(node, name, value) {
	if (name.startsWith("on"))
		node.addEventListener(name.slice(2), value);
	else if (value === true)
		node.setAttribute(name, "");
	else if (value !== false && value !== undefined && value !== null)
		node.setAttribute(name, value);
}

function build(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes))
		set(node, name, value);
	node.append(...children.filter((child) => child !== null));
	return node;
}

export function el(name, attributes = {}, ...children) {
	return build(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
	return build(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// Writes only what differs: most cells stay what they are from second to second.
export function write(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export function mark(node, name, value) {
	if (node.getAttribute(name) !== value)
		node.setAttribute(name, value);
}
