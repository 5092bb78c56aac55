/* Writes frames into the page: text, safe attributes, members of lists, shapes of pictures.
   What comes from a switch is only ever text or one of the attributes below; no markup is ever parsed. */
(function () {
  "use strict";
  const wallboard = (window.wallboard = window.wallboard || {});
  const SVG = "http://www.w3.org/2000/svg";
  const TAGS = new Set(["div", "span", "li", "bdi"]);
  const ATTRIBUTES = /^(title|lang|data-[a-z0-9-]+|aria-[a-z]+)$/;
  const SHAPES = new Set(["line", "rect", "path", "text", "circle"]);
  const GEOMETRY = new Set([
    "class", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "d", "cx", "cy", "r", "text-anchor",
  ]);

  /* m:ss, from an hour on h:mm:ss; `layouts/format.py` writes it likewise. */
  function duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    return hours ? `${hours}:${rest}` : rest.replace(/^0(?=\d)/, "");
  }

  /* Changes the text node that is there: replacing it at each update would make garbage for months. */
  function say(element, text) {
    const node = element.firstChild;
    if (node && node.nodeType === 3 && node === element.lastChild) {
      if (node.nodeValue !== text) {
        node.nodeValue = text;
        return true;
      }
      return false;
    }
    if (element.textContent === text) return false;
    element.textContent = text;
    return true;
  }

  function setAttribute(element, name, value) {
    if (!ATTRIBUTES.test(name)) return;
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  class Screen {
    constructor() {
      this.elements = new Map();
      this.since = new Map();
      this.ages = new Map();
      this.pictures = new Map();
      this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    }

    get(id) {
      let element = this.elements.get(id);
      if (!element || !element.isConnected) {
        element = document.getElementById(id);
        if (element) this.elements.set(id, element);
        else this.elements.delete(id);
      }
      return element;
    }

    /* A frame or a difference; `now` is the server's clock in ms, for elapsed times. */
    apply(frame, now) {
      for (const [id, members] of Object.entries(frame.lists)) this.members(id, members);
      for (const [id, text] of Object.entries(frame.text)) {
        const element = this.get(id);
        if (element && say(element, text)) this.mark(element);
      }
      for (const [id, attributes] of Object.entries(frame.attr)) {
        const element = this.get(id);
        if (!element) continue;
        for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
      }
      for (const [id, at] of Object.entries(frame.since)) this.since.set(id, at);
      for (const [id, source] of Object.entries(frame.ages)) this.ages.set(id, source);
      for (const [id, drawing] of Object.entries(frame.svg)) this.draw(id, drawing);
      this.tick(now, frame.since);
    }

    /* Elapsed times: all of them once a second, those of a frame at once. */
    tick(now, only) {
      for (const id of only ? Object.keys(only) : this.since.keys()) {
        const element = this.get(id);
        if (!element) {
          this.since.delete(id);
          continue;
        }
        const at = this.since.get(id);
        if (at === null) say(element, "—");
        else if (now !== null) say(element, duration(now / 1000 - at));
      }
    }

    /* Members that left are taken out, new ones made, all put in order; the others stay the same elements. */
    members(id, { keys, cell }) {
      const container = this.get(id);
      if (!container) return;
      const wanted = new Set(keys.map((key) => `${id}-${key}`));
      for (const element of Array.from(container.children)) {
        if (!wanted.has(element.id)) this.forget(element);
      }
      keys.forEach((key, at) => {
        const element = document.getElementById(`${id}-${key}`) || this.make(cell, `${id}-${key}`);
        if (container.children[at] !== element) container.insertBefore(element, container.children[at] || null);
      });
    }

    make([tag, style, part, cells], id) {
      const element = document.createElement(TAGS.has(tag) ? tag : "span");
      if (style) element.className = style;
      if (part) element.id = `${id}-${part}`;
      for (const cell of cells) element.appendChild(this.make(cell, id));
      if (!part && tag === "li") element.id = id;
      return element;
    }

    forget(element) {
      for (const part of [element, ...element.querySelectorAll("[id]")]) {
        this.elements.delete(part.id);
        this.since.delete(part.id);
        this.ages.delete(part.id);
      }
      element.remove();
    }

    draw(id, drawing) {
      const container = this.get(id);
      if (!container) return;
      let picture = this.pictures.get(id);
      if (!picture || !picture.svg.isConnected) {
        const svg = document.createElementNS(SVG, "svg");
        svg.setAttribute("aria-hidden", "true");
        container.appendChild(svg);
        picture = { svg, shapes: new Map() };
        this.pictures.set(id, picture);
      }
      if (drawing.box) picture.svg.setAttribute("viewBox", `0 0 ${drawing.box[0]} ${drawing.box[1]}`);
      for (const shape of drawing.set || drawing.shapes) this.shape(picture, shape);
      if (!drawing.shapes) return;
      const wanted = new Set(drawing.shapes.map(([key]) => key));
      for (const [key, element] of picture.shapes) {
        if (wanted.has(key)) continue;
        element.remove();
        picture.shapes.delete(key);
      }
      drawing.shapes.forEach(([key], at) => {
        const element = picture.shapes.get(key);
        if (picture.svg.children[at] !== element) picture.svg.insertBefore(element, picture.svg.children[at] || null);
      });
    }

    shape(picture, [key, tag, attributes, text]) {
      if (!SHAPES.has(tag)) return;
      let element = picture.shapes.get(key);
      if (!element || element.tagName !== tag) {
        if (element) element.remove();
        element = document.createElementNS(SVG, tag);
        picture.svg.appendChild(element);
        picture.shapes.set(key, element);
      }
      for (const [name, value] of Object.entries(attributes)) {
        if (GEOMETRY.has(name) && element.getAttribute(name) !== value) element.setAttribute(name, value);
      }
      if (text) say(element, text);
    }

    /* A headline figure that changed is marked for a moment. */
    mark(element) {
      if (this.calm.matches || !element.classList.contains("figure") || document.hidden) return;
      element.animate([{ opacity: 0.55 }, { opacity: 1 }], { duration: 600, easing: "ease-out" });
    }
  }

  wallboard.Screen = Screen;
  wallboard.say = say;
  wallboard.duration = duration;
})();
