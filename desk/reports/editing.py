"""What an editor may do to a bulletin: words, order, own paragraphs, which cases are told; never a figure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from desk.reports.frozen import (
    Block,
    Content,
    Frozen,
    Head,
    Story,
    Words,
    called,
    check_text,
    resolved,
    texts_of,
)
from desk.reports.stories import is_clean
from store.errors import RejectedError

LONGEST_TITLE, LONGEST_TEXT, MOST_BLOCKS = 200, 20_000, 300

Form = Mapping[str, str]


@dataclass(frozen=True)
class Edited:
    """Title and words after an edit."""

    title: str
    content: Content


def edited(title: str, content: Content, figures: Mapping[str, Frozen], form: Form) -> Edited:
    """By a form's fields, those that are missing left as they are.

    ``title``, ``to``, ``copied_to``; of a block ``text.ID`` and ``drop.ID``; of a case ``tick.CASE`` and ``said.CASE``;
    ``act`` is ``save``, or ``up.ID``, ``down.ID``, ``words.ID``, ``head.ID``: move a block, add words or a heading
    after it. RejectedError, for the screen, says what is wrong.
    """
    names = called(figures)
    kept = [one for one in content.blocks if f"drop.{one.id}" not in form]
    blocks = [_worded(one, form, names) for one in kept]
    blocks = _acted(blocks, form.get("act", "save"))
    made = replace(
        content,
        blocks=tuple(blocks),
        stories=tuple(_told(one, form) for one in content.stories),
        to=_line(form.get("to", content.to), LONGEST_TITLE),
        copied_to=_line(form.get("copied_to", content.copied_to), LONGEST_TITLE),
    )
    said = _line(form.get("title", title), LONGEST_TITLE)
    _check(said, made, figures)
    return Edited(said, made)


def _line(text: str, most: int) -> str:
    """On one line; RejectedError when it is too long."""
    return _clean(" ".join(text.split()), most)


def _clean(text: str, most: int = LONGEST_TEXT) -> str:
    if len(text) > most:
        msg = f"文字过长，至多{most}字；请分成几段或删减"
        raise RejectedError(msg, reason="text")
    return text.replace("\0", "").replace("\r\n", "\n").strip()


def _worded(block: Block, form: Form, names: Mapping[str, str]) -> Block:
    text = form.get(f"text.{block.id}")
    return block if text is None else replace(block, text=resolved(_clean(text), names))


def _told(story: Story, form: Form) -> Story:
    """A case whose words came with the form is ticked if its mark came too."""
    said = form.get(f"said.{story.case}")
    if said is None:
        return story
    return replace(story, said=_clean(said, 1000), ticked=f"tick.{story.case}" in form)


def _acted(blocks: Sequence[Block], act: str) -> list[Block]:
    """After the button that was pressed; a block that is gone is left alone."""
    verb, _, key = act.partition(".")
    place = next((n for n, one in enumerate(blocks) if one.id == key), None)
    do = _ACTS.get(verb)
    return list(blocks) if do is None or place is None else do(list(blocks), place)


def _swap(blocks: list[Block], a: int, b: int) -> list[Block]:
    if 0 <= a < len(blocks) and 0 <= b < len(blocks):
        blocks[a], blocks[b] = blocks[b], blocks[a]
    return blocks


def _add(blocks: list[Block], after: int, make: Callable[[str], Block]) -> list[Block]:
    taken = [int(one.id[1:]) for one in blocks]
    blocks.insert(after + 1, make(f"b{max(taken) + 1}"))
    return blocks


_ACTS: Mapping[str, Callable[[list[Block], int], list[Block]]] = {
    "up": lambda blocks, n: _swap(blocks, n, n - 1),
    "down": lambda blocks, n: _swap(blocks, n, n + 1),
    "words": lambda blocks, n: _add(blocks, n, lambda key: Words(key, "（请填写）", own=True)),
    "head": lambda blocks, n: _add(blocks, n, lambda key: Head(key, "（请填写标题）")),
}


def _check(title: str, content: Content, figures: Mapping[str, Frozen]) -> None:
    if not title:
        msg = "标题为空；请填写"
        raise RejectedError(msg, reason="title")
    if len(content.blocks) > MOST_BLOCKS:
        msg = f"段落超过{MOST_BLOCKS}个；请合并"
        raise RejectedError(msg, reason="text")
    for block in content.blocks:
        for text in texts_of(block):
            check_text(text, figures)
    for text in (title, content.to, content.copied_to):
        check_text(text, {})
    for story in content.stories:
        if story.ticked and not is_clean(story.said):
            msg = f"案例“{story.title}”中还有数字、字母或姓名电话等信息；请改写后再勾选"
            raise RejectedError(msg, reason="story")


def renewed(old: Content, new: Content) -> Content:
    """A draft made anew: its own figures and words, with the editor's own paragraphs and chosen cases kept.

    Own paragraphs stand at the end; placeholders in them that the new draft lacks are the caller's to check.
    """
    own = [one for one in old.blocks if isinstance(one, Words) and one.own]
    highest = max((int(one.id[1:]) for one in new.blocks), default=0)
    kept = tuple(replace(one, id=f"b{highest + n}") for n, one in enumerate(own, 1))
    chosen = {one.case: one for one in old.stories if one.ticked}
    stories = tuple(chosen.get(one.case, one) for one in new.stories)
    return replace(
        new, blocks=(*new.blocks, *kept), stories=stories, to=old.to, copied_to=old.copied_to
    )
