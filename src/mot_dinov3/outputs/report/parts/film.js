/* The videos: filled from the page where they are inside it, led by the charts and leading them. */
const films = [];

function bytesOf(key) {
  const holder = document.getElementById(key + '-bytes');
  if (!holder) return null;
  const text = atob(holder.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  holder.remove();
  return bytes;
}

class Film {
  constructor(video, about) {
    this.video = video;
    this.clock = about.clock;
    this.shown = video.closest('.film').querySelector('[data-film-frame]');
    const bytes = bytesOf(about.key);
    if (bytes) video.src = URL.createObjectURL(new Blob([bytes], { type: about.kind }));
    video.addEventListener('error', () => this.missing());
    video.addEventListener('timeupdate', () => this.tell());
    video.addEventListener('seeked', () => this.tell());
    video.addEventListener('play', () => this.run());
    if (video.error) this.missing();
    for (const button of video.closest('.film').querySelectorAll('[data-step]')) {
      button.addEventListener('click', () => this.step(Number(button.dataset.step)));
    }
  }

  missing() {
    this.video.hidden = true;
    this.video.closest('.film').querySelector('.missing').hidden = false;
  }

  /* Seconds of the video in the middle of a frame, so that no rounding shows its neighbour. */
  secondsAt(frame) {
    return Math.max(0, between(this.clock.frame, this.clock.video_s, frame + page.step / 2));
  }

  frameAt(seconds) {
    const frame = between(this.clock.video_s, this.clock.frame, seconds + 1e-4);
    const first = this.clock.frame[0] || 0;
    return first + Math.floor((frame - first) / page.step + 1e-6) * page.step;
  }

  seek(frame) {
    this.video.currentTime = this.secondsAt(frame);
    this.say(frame);
  }

  step(count) {
    this.video.pause();
    choose(Math.max(page.span[0], this.frameAt(this.video.currentTime) + count * page.step));
  }

  say(frame) {
    const seconds = Math.max(0, between(this.clock.frame, this.clock.video_s, frame));
    this.shown.textContent = `frame ${frame.toLocaleString('en')}  \u00b7  ${seconds.toFixed(2)} s`;
  }

  tell() {
    const frame = this.frameAt(this.video.currentTime);
    this.say(frame);
    if (films[0] === this) place(frame);
  }

  run() {
    const turn = () => {
      this.tell();
      if (!this.video.paused && !this.video.ended) requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }
}

for (const about of page.films) {
  const video = document.querySelector(`video[data-film="${about.key}"]`);
  if (video) films.push(new Film(video, about));
}
listeners.push((frame) => films.forEach((film) => film.seek(frame)), place);
