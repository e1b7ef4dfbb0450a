"""Where the marks of charts go."""

import pytest

from dream_api.dashboard.charts import HEIGHT, WIDTH, bars_of, progress, severity, spark_of


def test_bars_stand_on_the_ground_inside_the_picture_and_in_proportion():
    chart = bars_of([(n, value) for n, value in enumerate((0, 50, 100, -5))], str)

    heights = [bar.height for bar in chart.bars]
    assert heights[0] == heights[3] == 0
    assert heights[2] == pytest.approx(2 * heights[1], abs=0.2)
    assert len({round(bar.y + bar.height) for bar in chart.bars}) == 1
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH and 0 <= bar.y <= HEIGHT for bar in chart.bars)
    assert chart.total == 145


@pytest.mark.parametrize(("most", "top"), [(0, 3), (1, 3), (4, 6), (100, 150), (2_410_000, 3_000_000)])
def test_the_grid_has_round_numbers_that_hold_the_largest_value(most: int, top: int):
    grid = bars_of([(0, most)], str).grid

    assert [count for _, count in grid] == [0, top // 3, 2 * top // 3, top]


@pytest.mark.parametrize("many", [0, 1, 2, 30, 366])
def test_few_days_are_named_the_first_and_the_last_of_them_whole(many: int):
    labels = bars_of([(n, 1) for n in range(many)], str).labels

    assert len(labels) == min(many, 4)
    if many > 1:
        assert (labels[0][1:], labels[-1][1:]) == (("0", "start"), (str(many - 1), "end"))


def test_a_line_needs_two_values_and_a_flat_one_is_drawn():
    assert spark_of([7]) == ""
    assert spark_of([7, 7]) == "M2.0 28.0L82.0 28.0"
    assert spark_of([0, 10]) == "M2.0 28.0L82.0 2.0"


def test_a_meter_is_never_longer_than_its_whole():
    assert [progress(part, 100) for part in (-3, 0, 50, 270)] == [0, 0, 60, 120]
    assert progress(3, 0) == progress(3, None) == 0
    assert [severity(part, 100) for part in (79, 80, 94, 95)] == ["brand", "warn", "warn", "bad"]
