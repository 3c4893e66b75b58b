import re

import pytest
import torch

from wxexp.fields.means import masked_mean

X = torch.tensor([[[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]]], dtype=torch.float64)  # [1, 2, 3]


def test_by_hand():
    mask = torch.tensor([[[True, True, False]]])
    area = torch.tensor([[1.0, 3.0, 2.0]])
    weights = torch.tensor([1.0, 0.5])
    assert masked_mean(X).item() == 77 / 6
    assert masked_mean(X, mask=mask).item() == 33 / 4
    torch.testing.assert_close(masked_mean(X, mask=mask, area=area).item(), (1 + 6 + 10 + 60) / 8)
    torch.testing.assert_close(masked_mean(X, mask=mask, area=area, weights=weights).item(), (7 + 0.5 * 70) / (4 * 1.5))


def test_only_ratios_of_weights_and_areas_matter():
    area, weights = torch.tensor([[1.0, 3.0, 2.0]]), torch.tensor([1.0, 0.5])
    torch.testing.assert_close(masked_mean(X, area=7 * area, weights=5 * weights), masked_mean(X, area=area, weights=weights))


def test_nan_under_the_mask_is_harmless_in_value_and_gradient():
    x = X.clone()
    x[0, :, 2] = torch.nan
    x.requires_grad_()
    mean = masked_mean(x, mask=torch.tensor([[[True, True, False]]]))
    mean.sum().backward()
    assert mean.item() == 33 / 4
    torch.testing.assert_close(x.grad, torch.tensor([[[0.25, 0.25, 0.0]]], dtype=torch.float64).expand(1, 2, 3))


def test_nan_in_a_valid_cell_stays():
    x = X.clone()
    x[0, 0, 0] = torch.nan
    assert masked_mean(x, mask=torch.ones(1, 1, 3, dtype=torch.bool)).isnan().all()


def test_a_sample_without_valid_cells_gives_zero_and_no_gradient_and_leaves_the_others_alone():
    x = torch.cat([X, X]).requires_grad_()
    mask = torch.tensor([[[False] * 3], [[True] * 3]])
    mean = masked_mean(x, mask=mask)
    mean.sum().backward()
    assert mean.tolist() == [0.0, 77 / 6]
    assert (x.grad[0] == 0).all() and (x.grad[1] == 1 / 6).all()


def test_a_mask_of_each_channel_and_two_dimensions():
    x = torch.arange(24.0).reshape(2, 3, 2, 2)
    mask = torch.zeros(2, 3, 2, 2, dtype=torch.bool)
    mask[0, 1, 0, 1] = mask[0, 2, 1, 1] = mask[1, 0, 0, 0] = True  # 5, 11; 12
    assert masked_mean(x, mask=mask, area=torch.ones(1, 2, 2)).tolist() == [8.0, 12.0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mask": torch.ones(3, dtype=torch.bool)}, "mask must have the shape (1, 2, 3), or 1 row, or 1 channel, got (3,)"),
        ({"mask": torch.ones(1, 3, 3, dtype=torch.bool)}, "mask must have the shape (1, 2, 3), or 1 row, or 1 channel, got (1, 3, 3)"),
        ({"mask": torch.ones(1, 1, 3)}, "mask must be bool, True where valid, got torch.float32"),
        ({"area": torch.ones(3)}, "area must have the shape (1, 3), or 1 row, got (3,)"),
        ({"area": torch.ones(2, 3)}, "area must have the shape (1, 3), or 1 row, got (2, 3)"),
        ({"weights": torch.ones(3)}, "weights must be one of each channel, (2,), got (3,)"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        masked_mean(X, **wrong)
