// Gestures of fingers, or of a mouse that is held down, on tiles: holding looks closer, a stroke marks every tile it passes.

const patience = 450;

/// Follows pointers on the tiles of a grid.
///
/// `hold(index)` is called when a finger rests on a tile, `stroke(from, to, isFirst)` whenever a stroke that began on one
/// tile has come to another, `cancel()` if the stroke turns out to be scrolling. Clicks that are the end of either are held
/// back. Returns what ends it.
export function follow(grid, { hold, stroke, cancel }) {
  let start = -1;
  let reached = -1;
  // Whether the click that comes next is one, and not the end of a stroke or of holding.
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
  const anew = () => { isClick = true; };
  /// A finger that has opened something by holding must not press what lies under it then. Keys press without a detail.
  function hush(event) {
    if (isClick || event.detail === 0) return;
    event.stopPropagation();
    event.preventDefault();
  }
  const everywhere = [["pointerdown", anew, true], ["pointerup", end, false], ["pointercancel", abort, false], ["click", hush, true]];
  for (const one of everywhere) addEventListener(...one);
  // The menu that browsers open for a finger that rests.
  grid.addEventListener("contextmenu", (event) => { if (event.pointerType === "touch") event.preventDefault(); });
  return () => {
    end();
    for (const one of everywhere) removeEventListener(...one);
  };
}
