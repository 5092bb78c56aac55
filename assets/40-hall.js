/* A page that is always on: waits until Dash has drawn it, then keeps it right by frames and heartbeats, says when
   its data is stale, and reloads itself when the application's version changes. Dash is not needed after that. */
(function () {
  "use strict";
  const wallboard = (window.wallboard = window.wallboard || {});
  const CHECK_MS = 250;
  const MISSED_MS = 2500;
  const DRAWN_MS = 10000;
  const IDLE_MS = 3000;
  const RELOAD_SPREAD_MS = 10000;
  const RELOADED = "wallboard-reloaded-for";

  const fill = (message, blanks) => message.replace(/\{(\w+)\}/g, (whole, name) => (name in blanks ? blanks[name] : whole));

  class Page {
    constructor(name, version) {
      this.version = version;
      this.screen = new wallboard.Screen();
      this.clock = new wallboard.Clock();
      this.root = null;
      this.early = [];
      this.pulse = null;
      this.pulseAt = performance.now();
      this.state = "lost";
      this.second = null;
      this.reloading = false;
      this.stoodAt = null;
      this.link = new wallboard.Link(name, {
        frame: (frame) => this.take(frame),
        change: (change) => this.amend(change),
        beat: (beat) => this.beat(beat),
        state: (state) => this.linked(state),
      });
    }

    start() {
      this.link.open();
      const from = performance.now();
      setInterval(() => {
        if (!this.root && performance.now() - from > DRAWN_MS) this.reload();
        this.link.check();
        this.check();
      }, CHECK_MS);
      const drawn = new MutationObserver(() => {
        if (this.find()) drawn.disconnect();
      });
      drawn.observe(document.body, { childList: true, subtree: true });
      if (this.find()) drawn.disconnect();
    }

    /* The page is there when Dash has drawn it; where Dash fails, the page is loaded again once the server answers. */
    find() {
      this.root = document.getElementById("hall");
      if (!this.root) return false;
      this.linked(this.state, true);
      for (const frame of this.early) this.screen.apply(frame, this.clock.now());
      this.early = [];
      this.check();
      return true;
    }

    /* Until the page is there, the newest whole frame is kept with the differences since. */
    take(frame) {
      if (this.root) this.screen.apply(frame, this.clock.now());
      else this.early = [frame];
    }

    amend(change) {
      if (this.root) this.screen.apply(change, this.clock.now());
      else if (this.early.length) this.early.push(change);
    }

    beat(beat) {
      this.pulse = beat;
      this.pulseAt = performance.now();
      this.clock.hear(beat.now_ms, beat.offset_min);
      if (beat.version !== this.version) this.reload(beat.version);
      if (this.root) this.check();
    }

    linked(state, again) {
      if (state === this.state && !again) return;
      this.state = state;
      if (!this.root) return;
      this.screen.get("link").setAttribute("data-link", state);
      wallboard.say(this.screen.get("link-state"), this.root.getAttribute(`data-say-${state}`));
    }

    /* Four times a second: is the data old? Once a second: the clock, the ages and the elapsed times. */
    check() {
      if (!this.root) return;
      const quiet = performance.now() - this.pulseAt;
      const now = this.clock.now();
      this.stale(now, quiet);
      if (now === null) return;
      const second = Math.floor(now / 1000);
      if (second === this.second) return;
      this.second = second;
      wallboard.say(this.screen.get("clock"), this.clock.time(now));
      /* Nobody knows whether the last state still lasts: elapsed times stand while the data does. */
      if (this.stoodAt === null) this.screen.tick(now);
      this.ages(quiet);
    }

    /* How old the oldest of the sources is, in ms; null where none has ever been read. */
    oldest(quiet) {
      const known = Object.values(this.pulse ? this.pulse.ages : {}).filter((age) => age !== null);
      return known.length ? Math.max(...known) * 1000 + quiet : null;
    }

    ages(quiet) {
      const age = this.oldest(quiet);
      const show = (ms) => (ms < 9950 ? (Math.max(0, ms) / 1000).toFixed(1) : String(Math.round(ms / 1000)));
      const words = age === null ? this.say("no-age") : this.say("age", { age: show(age) });
      wallboard.say(this.screen.get("age"), words);
      for (const [id, source] of this.screen.ages) {
        const element = this.screen.get(id);
        const of = this.pulse.ages[source];
        if (!element) continue;
        const known = typeof of === "number";
        wallboard.say(element, known ? this.say("source-age", { age: show(of * 1000 + quiet) }) : "—");
      }
    }

    say(key, blanks) {
      return fill(this.root.getAttribute(`data-say-${key}`), blanks || {});
    }

    /* Why the screen does not show what is: no heartbeat, a store that is away, frames or sources that stand still. */
    reason(quiet, limit) {
      const old = this.pulse && this.pulse.standing === "live" && this.oldest(quiet) > limit;
      const stuck = this.pulse && (!this.pulse.store_ok || this.pulse.frame_s * 1000 + quiet > limit);
      if (quiet <= limit && !old && !stuck) return null;
      /* Ages grow while nothing is heard: then it is not the source that is silent. */
      if (quiet > MISSED_MS) return "connection";
      return stuck ? "store" : "source";
    }

    stale(now, quiet) {
      const limit = Number(this.root.getAttribute("data-stale-after-s")) * 1000;
      const reason = this.reason(quiet, limit);
      const classes = document.documentElement.classList;
      if (!reason) {
        if (this.stoodAt !== null || classes.contains("stale")) {
          classes.remove("stale");
          wallboard.say(this.screen.get("band"), "");
          wallboard.say(this.screen.get("band-why"), "");
        }
        this.stoodAt = null;
        return;
      }
      classes.add("stale");
      wallboard.say(this.screen.get("band"), this.words(now, quiet));
      wallboard.say(this.screen.get("band-why"), this.say(reason));
    }

    /* Data stands where its oldest part stood when that was found out; the time is kept until it moves again. */
    words(now, quiet) {
      if (now === null) return this.say("never");
      if (this.stoodAt === null) this.stoodAt = now - Math.max(quiet, this.oldest(quiet) || 0);
      const seconds = Math.max(0, Math.round((now - this.stoodAt) / 1000));
      const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      const age = this.say(h ? "hours" : m ? "minutes" : "seconds", { h, m, s });
      return this.say("stale", { time: this.clock.time(this.stoodAt), age });
    }

    /* Only while the server answers, for a browser's own error page cannot come back; once a version, not all at once. */
    reload(version) {
      if (this.reloading) return;
      if (version) {
        if (sessionStorage.getItem(RELOADED) === version) return;
        sessionStorage.setItem(RELOADED, version);
      }
      this.reloading = true;
      setTimeout(async () => {
        try {
          const answer = await fetch(location.pathname, { cache: "no-store" });
          if (answer.ok) {
            location.reload();
            return;
          }
        } catch (error) {
          /* The server is away; ask again. */
        }
        this.reloading = false;
        if (version) sessionStorage.removeItem(RELOADED);
      }, (version ? 500 : 2000) + Math.random() * (version ? RELOAD_SPREAD_MS : 2000));
    }
  }

  /* Nobody points at a wall. */
  function hideCursor() {
    const classes = document.documentElement.classList;
    let timer = 0;
    classes.add("idle");
    window.addEventListener("mousemove", () => {
      classes.remove("idle");
      clearTimeout(timer);
      timer = setTimeout(() => classes.add("idle"), IDLE_MS);
    });
  }

  const meta = (name) => {
    const element = document.querySelector(`meta[name="wallboard-${name}"]`);
    return element ? element.content : null;
  };
  const page = meta("page");
  if (page) {
    hideCursor();
    wallboard.page = new Page(page, meta("version"));
    wallboard.page.start();
    document.addEventListener("visibilitychange", () => wallboard.page.check());
  }
})();
