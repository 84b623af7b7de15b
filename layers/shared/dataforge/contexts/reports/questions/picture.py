"""The difficulty of a lesson's questions, and the responses to one."""

from dataforge.contexts.reports.captions import caption_of, lesson_name
from dataforge.contexts.reports.pictures.bar_chart import Bar, BarChart, draw_bars
from dataforge.contexts.reports.pictures.histogram import Bin, Histogram, draw_histogram
from dataforge.contexts.reports.pictures.text import amount, count, percent
from dataforge.contexts.reports.questions.domain import QuestionReport, QuestionStatistics

_CLASSES = 10
_MOST_RESPONSES = 20


def picture_of_questions(report: QuestionReport) -> str:
    """An SVG with how many questions were answered right at first by how many of ten; the easy ones on the right."""
    sizes = [0] * _CLASSES
    difficulties = [item.difficulty for item in report.questions if item.difficulty is not None]
    for difficulty in difficulties:
        sizes[min(_CLASSES - 1, int(difficulty * _CLASSES))] += 1
    bins = [Bin(_class(position), size) for position, size in enumerate(sizes)]
    left_out = len(report.questions) - len(difficulties)
    note = f"{count(left_out, 'question has', 'questions have')} no judged responses" if left_out else ""
    caption = caption_of(f"Difficulty of questions: {lesson_name(report.lesson)}", report.basis, note)
    return draw_histogram(caption, Histogram(bins, "questions", "Learners whose first judged response is right"))


def _class(position: int) -> str:
    return f"{position * 10}–{position * 10 + 10}%"


def picture_of_responses(report: QuestionReport, question: QuestionStatistics, *, key: str) -> str:
    """An SVG with how often each response to a question was given: to those of choice questions, each choice.

    Solid are those that were taken as right at least once; of more than 20 the most frequent are shown.
    """
    given = sorted(question.choices or question.given, key=lambda item: (-item.responses, item.response))
    bars = [
        Bar(item.response or "(empty)", item.responses, _words(item.responses, question.responses), item.right == 0)
        for item in given[:_MOST_RESPONSES]
    ]
    hidden = len(given) - len(bars)
    note = f"{count(hidden, 'rarer response is', 'rarer responses are')} not shown" if hidden else ""
    caption = caption_of(f"Responses: {question.name or question.question_id}", report.basis, note, key=key)
    return draw_bars(caption, BarChart(bars, "response", None, "Taken as right", "Not taken as right"))


def _words(responses: int, whole: int) -> str:
    return f"{amount(responses)}, {percent(responses, whole)}"
