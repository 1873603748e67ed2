// What fingers, and a mouse that is held down, do on tiles: holding looks closer, a stroke marks all that it passes.

const patience = 450;

/// Follows pointers on the tiles of a grid.
///
/// `hold(index)` is called when a finger rests on a tile, `stroke(from, to, isFirst)` whenever a stroke that began on one
/// tile has come to another, `cancel()` if the stroke turns out to be scrolling. Clicks that are the end of either are held
/// back. Returns what ends it.
export function follow(grid, { hold, stroke, cancel }) {
  let start = -1;
  let reached = -1;
  let isClick = true;
  let timer;

  function indexAt(event) {
    const tile = document.elementFromPoint(event.clientX, event.clientY)?.closest(".tile");
    return tile ? [...grid.children].indexOf(tile) : -1;
  }

  function end() {
    clearTimeout(timer);
    start = -1;
  }

  function rest() {
    const index = start;
    end();
    isClick = false;
    hold(index);
  }

  grid.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0 || event.shiftKey) return;
    isClick = true;
    clearTimeout(timer);
    start = reached = indexAt(event);
    if (start >= 0 && event.pointerType === "touch") timer = setTimeout(rest, patience);
  });
  grid.addEventListener("pointermove", (event) => {
    if (start < 0) return;
    const index = indexAt(event);
    if (index < 0 || index === reached) return;
    clearTimeout(timer);
    stroke(start, index, isClick);
    reached = index;
    isClick = false;
  });
  function abort() {
    if (start >= 0 && !isClick) cancel();
    end();
  }
  addEventListener("pointerup", end);
  addEventListener("pointercancel", abort);
  grid.addEventListener("click", (event) => {
    if (!isClick) event.stopPropagation();
    isClick = true;
  }, true);
  // The menu that browsers open for a finger that rests.
  grid.addEventListener("contextmenu", (event) => { if (event.pointerType === "touch") event.preventDefault(); });
  return () => {
    end();
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", abort);
  };
}
