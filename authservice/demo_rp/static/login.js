// SPDX-License-Identifier: EUPL-1.2
// Follows an order on the waiting page. Without this script the page reloads itself instead.
"use strict";
(() => {
  const channel = new BroadcastChannel("login");
  const page = document.querySelector("[data-order]");
  if (!page) {
    channel.postMessage("done");
    return;
  }
  const message = document.getElementById("message");
  const launch = document.getElementById("launch");
  const help = document.getElementById("help");
  const frame = document.getElementById("frame");
  const opened = "opened:" + page.dataset.order;

  if (launch && page.dataset.hint === "outstanding" && !sessionStorage.getItem(opened)) {
    // Once only: an order that is claimed twice is stopped.
    sessionStorage.setItem(opened, "1");
    window.location.assign(launch.href);
  }
  const show = (state) => {
    message.textContent = state.message;
    document.querySelectorAll(".steps li").forEach((step, number) => {
      step.className = number < state.step ? "done" : number === state.step ? "now" : "";
      if (number === state.step) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    for (const part of document.querySelectorAll("[data-until-claimed]")) part.hidden = state.step > 0;
  };
  let timer = 0;
  const poll = async () => {
    clearTimeout(timer);
    try {
      const answer = await fetch("/login/state", { cache: "no-store" });
      const state = await answer.json();
      if (state.reload) {
        window.location.replace("/login");
        return;
      }
      show(state);
    } catch {
      // The network is away for a moment; the next poll tells.
    }
    timer = setTimeout(poll, 2000);
  };
  channel.onmessage = poll;
  timer = setTimeout(poll, 1500);
  if (help) {
    help.hidden = true;
    setTimeout(() => { help.hidden = false; }, 4000);
  }
  if (frame) {
    let number = 0;
    setInterval(() => { if (!frame.closest("[hidden]")) frame.src = "/login/qr.svg?" + ++number; }, 1000);
  }
})();
