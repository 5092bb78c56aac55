/* The way to the server: server-sent events; polling where a proxy eats those; always trying again.
   It tells its owner of frames and heartbeats and of nothing else. */
(function () {
  "use strict";
  const wallboard = (window.wallboard = window.wallboard || {});
  const FIRST_MS = 250;
  const LONGEST_MS = 5000;
  const SILENT_MS = 8000;
  const FAILURES = 3;
  const POLL_MS = 1000;
  const POLL_TIMEOUT_MS = 3000;
  const RETRY_WHILE_POLLING_MS = 30000;

  class Link {
    /* page: its name; heard: {frame(whole), change(difference), beat(beat), state("live" | "poll" | "lost")} */
    constructor(page, heard) {
      this.page = page;
      this.heard = heard;
      this.failures = 0;
      this.stream = null;
      this.heardAt = 0;
      this.reopen = 0;
      this.polling = false;
      this.polled = false;
      this.poll = 0;
      this.etag = null;
      this.ended = false;
    }

    open() {
      if (this.ended) return;
      clearTimeout(this.reopen);
      this.close();
      this.heardAt = performance.now();
      const stream = (this.stream = new EventSource(`/stream/${this.page}`));
      const listen = (name, then) =>
        stream.addEventListener(name, (event) => {
          if (stream !== this.stream) return;
          this.heardAt = performance.now();
          this.failures = 0;
          this.stopPolling();
          this.heard.state("live");
          then(JSON.parse(event.data));
        });
      listen("frame", this.heard.frame);
      listen("change", this.heard.change);
      listen("beat", this.heard.beat);
      stream.onerror = () => {
        if (stream === this.stream) this.failed();
      };
    }

    close() {
      if (!this.stream) return;
      this.stream.onerror = null;
      this.stream.close();
      this.stream = null;
    }

    end() {
      this.ended = true;
      clearTimeout(this.reopen);
      this.stopPolling();
      this.close();
    }

    /* Called four times a second: a stream that is open and silent is as good as none. */
    check() {
      if (this.stream && performance.now() - this.heardAt > SILENT_MS) {
        this.failures = Math.max(this.failures, FAILURES - 1);
        this.failed();
      }
    }

    failed() {
      this.close();
      this.failures += 1;
      if (!this.polled) this.heard.state("lost");
      if (this.failures >= FAILURES) this.startPolling();
      const most = this.polled ? RETRY_WHILE_POLLING_MS : LONGEST_MS;
      const wait = Math.min(most, FIRST_MS * 2 ** Math.min(this.failures - 1, 10));
      clearTimeout(this.reopen);
      this.reopen = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2));
    }

    startPolling() {
      if (this.polling) return;
      this.polling = true;
      this.ask();
    }

    stopPolling() {
      this.polling = false;
      this.polled = false;
      this.etag = null;
      clearTimeout(this.poll);
    }

    async ask() {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), POLL_TIMEOUT_MS);
      try {
        const headers = this.etag ? { "If-None-Match": this.etag } : {};
        const answer = await fetch(`/frame/${this.page}`, { headers, cache: "no-store", signal: abort.signal });
        if (!this.polling) return;
        if (answer.status !== 200 && answer.status !== 304) throw new Error(String(answer.status));
        const beat = answer.headers.get("Wallboard-Beat");
        const frame = answer.status === 200 ? await answer.json() : null;
        if (!this.polling) return;
        this.etag = answer.headers.get("ETag");
        this.polled = true;
        this.heard.state("poll");
        if (beat) this.heard.beat(JSON.parse(beat));
        if (frame) this.heard.frame(frame);
      } catch (error) {
        if (!this.polling) return;
        this.polled = false;
        this.etag = null;
        this.heard.state("lost");
      } finally {
        clearTimeout(timer);
        if (this.polling) this.poll = setTimeout(() => this.ask(), POLL_MS);
      }
    }
  }

  wallboard.Link = Link;
})();
