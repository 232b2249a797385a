// Finds and copies the markup of index.html, with types. A missing element is a mistake in the page, so it throws.

export function find<T extends Element>(selector: string, type: new () => T, root: ParentNode = document): T {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} at "${selector}"`);
  return found;
}

/** A copy of the first element inside `<template id="…">`. */
export function clone(templateId: string): HTMLElement {
  const original = find(`#${templateId}`, HTMLTemplateElement).content.firstElementChild;
  if (!(original instanceof HTMLElement)) throw new Error(`template "${templateId}" is empty`);
  return original.cloneNode(true) as HTMLElement;
}

/** Shows another icon of icons.svg in a button or label. */
export function setIcon(root: Element, name: string): void {
  find('use', SVGUseElement, root).setAttribute('href', `#icon-${name}`);
}

/** The accessible name of a button, shown as its tooltip too. */
export function setLabel(button: HTMLElement, label: string): void {
  button.setAttribute('aria-label', label);
  button.title = label;
}
