"""Closed forms of single harmonics, scipy's Legendre functions, and digits of torch_harmonics and pyshtools."""

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from wxexp.fields.spherical import Harmonics, highest_degree, legendre, nodes, power

GRIDS = [(32, 64, "gauss"), (33, 64, "poles"), (32, 64, "centres"), (25, 48, "poles"), (21, 45, "centres")]


def angles(rows, columns, kind):
    return np.meshgrid(np.arccos(nodes(rows, kind)[0]), 2 * np.pi * np.arange(columns) / columns, indexing="ij")


def random_coefficients(transform, seed=0, batch=()):
    generator = torch.Generator().manual_seed(seed)
    return transform.from_real(torch.randn(*batch, (transform.degree + 1) ** 2, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["gauss", "poles", "centres"])
@pytest.mark.parametrize("rows", [2, 3, 8, 9, 32])
def test_weights_integrate_polynomials_exactly(kind, rows):
    """∫ x^n dx over [−1, 1] is 2 / (n + 1) for even n, up to degree rows − 1, and 2 rows − 1 of Gauss."""
    x, w = nodes(rows, kind)
    assert (np.diff(x) < 0).all() and (w > 0).all()
    for n in range(2 * rows if kind == "gauss" else rows):
        assert w @ x**n == pytest.approx(2 / (n + 1) if n % 2 == 0 else 0, abs=1e-13)


def test_weights_by_hand():
    """Simpson's rule is that of three rows with poles; 0.8888888889, 0.5555555556 that of Gauss."""
    np.testing.assert_allclose(nodes(3, "poles")[1], [1 / 3, 4 / 3, 1 / 3], atol=1e-15)
    np.testing.assert_allclose(nodes(3, "gauss")[1], [5 / 9, 8 / 9, 5 / 9], atol=1e-15)


@pytest.mark.parametrize("grid", GRIDS)
def test_round_trip_and_parseval(grid):
    transform = Harmonics(*grid[:2], kind=grid[2])
    a = random_coefficients(transform, batch=(2, 3))
    f = transform.synthesis(a)
    assert f.shape == (2, 3, *grid[:2])
    torch.testing.assert_close(transform.analysis(f), a, rtol=0, atol=1e-12)
    torch.testing.assert_close(transform.synthesis(transform.analysis(f)), f, rtol=0, atol=1e-11)
    mean_square = (f**2).mean(-1) @ torch.from_numpy(nodes(grid[0], grid[2])[1]) / 2
    torch.testing.assert_close(power(a).sum(-1), 4 * torch.pi * mean_square, rtol=1e-12, atol=0)


@pytest.mark.parametrize("grid", GRIDS[:3])
def test_each_harmonic_is_that_of_scipy(grid):
    transform = Harmonics(*grid[:2], kind=grid[2])
    theta, phi = angles(*grid)
    for l, m in [(0, 0), (1, 0), (1, 1), (2, 1), (3, 0), (3, 2), (3, 3), (9, 4)]:
        a = torch.zeros(transform.degree + 1, transform.degree + 1, dtype=torch.complex128)
        a[l, m] = 1.0 if m == 0 else 0.5
        np.testing.assert_allclose(transform.synthesis(a), sph_harm_y(l, m, theta, phi).real, atol=1e-13)


def test_closed_forms_up_to_degree_three():
    """Y_10 = sqrt(3/4π) cos θ, Y_20 = sqrt(5/16π)(3 cos² θ − 1), Y_30 = sqrt(7/16π)(5 cos³ θ − 3 cos θ), and three with waves."""
    grid = (18, 36, "centres")
    theta, phi = angles(*grid)
    x, s = np.cos(theta), np.sin(theta)
    fields = {
        (0, 0): np.full_like(x, np.sqrt(1 / (4 * np.pi))),
        (1, 0): np.sqrt(3 / (4 * np.pi)) * x,
        (2, 0): np.sqrt(5 / (16 * np.pi)) * (3 * x**2 - 1),
        (3, 0): np.sqrt(7 / (16 * np.pi)) * (5 * x**3 - 3 * x),
        (1, 1): -2 * np.sqrt(3 / (8 * np.pi)) * s * np.cos(phi),
        (2, 1): -2 * np.sqrt(15 / (8 * np.pi)) * s * x * np.cos(phi),
        (3, 3): -2 * np.sqrt(35 / (64 * np.pi)) * s**3 * np.cos(3 * phi),
    }
    transform = Harmonics(*grid[:2], kind=grid[2])
    for (l, m), field in fields.items():
        a = transform.analysis(torch.from_numpy(field))
        expected = torch.zeros_like(a)
        expected[l, m] = 1.0
        torch.testing.assert_close(a, expected, rtol=0, atol=1e-13)


def test_power_of_one_harmonic_is_counted_for_both_signs_of_the_order():
    """3 √2 Re Y_52 has ∮ f² dΩ = 9; m ≥ 0 alone would give 4.5."""
    theta, phi = angles(32, 64, "gauss")
    f = 3 * np.sqrt(2) * sph_harm_y(5, 2, theta, phi).real
    c = power(Harmonics(32, 64, kind="gauss").analysis(torch.from_numpy(f))).numpy()
    assert c[5] == pytest.approx(9, abs=1e-12) and np.delete(c, 5).max() < 1e-20


def test_a_zonal_field_of_a_power_law_has_its_slope():
    transform, l = Harmonics(32, 64, kind="gauss"), np.arange(1, 32)
    z = np.zeros(32 * 32)
    z[l * l] = l**-1.5  # order 0
    f = transform.synthesis(transform.from_real(torch.from_numpy(z)))
    c = power(transform.analysis(f)).numpy()[1:]
    assert (f - f[:, :1]).abs().max() < 1e-13 < 0.1 < (f - f[:1]).abs().max()
    assert np.polyfit(np.log(l), np.log(c), 1)[0] == pytest.approx(-3, abs=1e-10) and c[0] == pytest.approx(1, abs=1e-12)


def test_digits_of_random_fields():
    """torch_harmonics and pyshtools: mean spectrum of 64 fields whose C_l is l^−3 on average."""
    rs, found, transform = np.random.RandomState(51), [], Harmonics(32, 64, kind="gauss")
    for _ in range(64):
        z = np.zeros(32 * 32)
        for l in range(1, 32):
            z[l * l : (l + 1) ** 2] = rs.standard_normal(2 * l + 1) * np.sqrt(l**-3.0 / (2 * l + 1))
        found.append(power(transform.analysis(transform.synthesis(transform.from_real(torch.from_numpy(z))))).numpy())
    c, l = np.mean(found, axis=0), np.arange(4, 28)
    assert np.polyfit(np.log(l), np.log(c[l]), 1)[0] == pytest.approx(-2.983239923778, abs=1e-9)
    assert c[1] == pytest.approx(0.932994442371, abs=1e-10)


def test_high_degrees_are_orthonormal():
    """2π ∫ P_lm P_km dx = δ_lk up to l = 512, for orders from zonal to sectoral."""
    x, w = nodes(520, "gauss")
    for m in (0, 1, 188, 400, 511):
        p = legendre(m, 512, x)
        np.testing.assert_allclose(2 * np.pi * (p * w) @ p.T, np.eye(513 - m), atol=1e-11)


def test_round_trip_of_a_hundred_degrees():
    transform = Harmonics(201, 402, kind="poles")
    a = random_coefficients(transform, seed=3)
    torch.testing.assert_close(transform.analysis(transform.synthesis(a)), a, rtol=0, atol=1e-12)


def test_an_isotropic_field_has_the_same_variance_everywhere():
    """Σ_l C_l / 4π = 1, at poles and equator, over 4000 draws."""
    transform = Harmonics(13, 24, kind="poles", degree=3)
    z = torch.randn(4000, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * (4 * torch.pi / 16) ** 0.5
    variance = (transform.synthesis(transform.from_real(z)) ** 2).mean(0)
    assert (variance - 1).abs().max() < 0.1


def test_gradients_flow_through_synthesis():
    transform = Harmonics(9, 16, kind="poles")
    z = torch.randn(25, generator=torch.Generator().manual_seed(2), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: transform.synthesis(transform.from_real(z)), (z,))


def test_bad_input():
    assert highest_degree(181, 360, "poles") == 90 and highest_degree(32, 64, "gauss") == 31 and highest_degree(32, 20, "gauss") == 9
    with pytest.raises(ValueError, match="nodes must be one of gauss, poles, centres, got 'healpix'"):
        nodes(4, "healpix")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="degree must be between 0 and 4 on 9 x 16 cells with rows at 'poles', got 5"):
        Harmonics(9, 16, kind="poles", degree=5)
    with pytest.raises(ValueError, match=r"field must be \[..., 9, 16\], got \(16, 9\)"):
        Harmonics(9, 16, kind="poles").analysis(torch.zeros(16, 9))
    with pytest.raises(ValueError, match=r"coefficients must be \[..., 5, 5\], got \(4, 5\)"):
        Harmonics(9, 16, kind="poles").synthesis(torch.zeros(4, 5))


def test_a_zonal_field_has_the_slope_it_was_made_with():
    transform = Harmonics(32, 64, kind="gauss")
    a = torch.zeros(32, 32, dtype=torch.complex128)
    l = torch.arange(1, 32, dtype=torch.float64)
    a[1:, 0] = (l**-1.5).to(torch.complex128)
    c = power(transform.analysis(transform.synthesis(a))).numpy()
    assert np.polyfit(np.log(l.numpy()), np.log(c[1:]), 1)[0] == pytest.approx(-3, abs=1e-10)
