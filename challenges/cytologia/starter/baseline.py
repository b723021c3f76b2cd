"""A first entry for CytologIA: find the cells by colour, describe them by 27 numbers, classify them.

    python baseline.py --data ../public --out predictions.csv

Needs numpy and Pillow only. The same data give the same predictions. What it does, in order:

1. the nucleus is what is much less green than red and blue; its pixels are grouped into as many cells as cases.csv has
   rows for the picture;
2. the box is the box of these pixels, widened by the median margin seen in the training pictures;
3. 27 numbers describe a box: sizes, mean colours and their spread in and around the nucleus, orange and dark grains;
4. linear discriminant analysis with a shrunken covariance, learned on train.csv.
"""

import argparse
import csv
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

SHRINK = 0.05


def read_rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def read_pictures(path):
    """Name -> (height, width, 3) array of float, from a ZIP of JPEG files."""
    with zipfile.ZipFile(path) as archive:
        return {name: picture(archive.read(name)) for name in archive.namelist()}


def picture(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.float64)


def nucleus_mask(image):
    """Purple pixels: less green than red and blue together by a margin that red cells do not reach."""
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    return (blue - green > 28) & (red + blue - 2 * green > 45)


def groups(image, count):
    """Pixels of the nuclei as `count` groups of (row, column), by k-means from the picture's corners and middle."""
    points = np.argwhere(nucleus_mask(image)).astype(np.float64)
    height, width = image.shape[:2]
    if len(points) < 20:
        points = np.array([[height / 2 + i, width / 2 + j] for i in range(-8, 9) for j in range(-8, 9)])
    across = int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    places = [((i // across + 0.5) * height / down, (i % across + 0.5) * width / across) for i in range(count)]
    centres = np.array(places)
    for _ in range(20):
        nearest = np.argmin(((points[:, None] - centres[None]) ** 2).sum(axis=2), axis=1)
        for group in range(count):
            if (nearest == group).any():
                centres[group] = points[nearest == group].mean(axis=0)
    found = [points[nearest == group] for group in range(count)]
    return [pixels if len(pixels) else centres[i][None] for i, pixels in enumerate(found)]


def tight_box(pixels):
    """x1, y1, x2, y2 of the pixels, without the farthest 2 % on each side."""
    low, high = np.percentile(pixels, 2, axis=0), np.percentile(pixels, 98, axis=0) + 1
    return np.array([low[1], low[0], high[1], high[0]])


def describe(image, box):
    """27 numbers about the part of a picture inside a box."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = np.rint(box).astype(int)
    part = image[max(0, y1) : min(height, max(y2, y1 + 2)), max(0, x1) : min(width, max(x2, x1 + 2))]
    rows, columns = np.indices(part.shape[:2])
    middle = np.array(part.shape[:2]) / 2
    inside = ((rows + 0.5 - middle[0]) / middle[0]) ** 2 + ((columns + 0.5 - middle[1]) / middle[1]) ** 2 < 1
    nucleus = nucleus_mask(part) & inside
    around = inside & ~nucleus
    red, green, blue = part[..., 0], part[..., 1], part[..., 2]
    numbers = [x2 - x1, y2 - y1, inside.sum() ** 0.5, nucleus.sum() ** 0.5, nucleus.sum() / max(1, inside.sum())]
    for mask in (nucleus, around):
        pixels = part[mask] if mask.sum() > 3 else part[inside]
        numbers += [*pixels.mean(axis=0), *pixels.std(axis=0), np.percentile(pixels.mean(axis=1), 10)]
    orange, dark = inside & (red - blue > 30), inside & (part.mean(axis=2) < 90)
    numbers += [orange.mean(), dark.mean(), (around & (blue - red > 10)).mean(), (around & (red - blue > 5)).mean()]
    offset = np.argwhere(nucleus).mean(axis=0) - middle if nucleus.any() else np.zeros(2)
    edges = np.abs(np.diff(nucleus.astype(float), axis=0)).sum() + np.abs(np.diff(nucleus.astype(float), axis=1)).sum()
    numbers += [np.hypot(*offset), edges / max(1.0, nucleus.sum() ** 0.5), green[inside].std(), inside.mean()]
    return np.array(numbers, dtype=np.float64)


class Discriminant:
    """Linear discriminant analysis; classes weigh alike, since the score is a mean over classes."""

    def fit(self, data, labels):
        self.mean, self.scale = data.mean(axis=0), data.std(axis=0) + 1e-9
        data = (data - self.mean) / self.scale
        self.labels = sorted(set(labels))
        own = np.array([self.labels.index(label) for label in labels])
        centres = np.array([data[own == i].mean(axis=0) for i in range(len(self.labels))])
        within = data - centres[own]
        covariance = within.T @ within / len(data)
        covariance += SHRINK * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        self.weights = np.linalg.solve(covariance, centres.T)
        self.offset = -0.5 * (centres * self.weights.T).sum(axis=1)
        return self

    def predict(self, data):
        best = np.argmax((data - self.mean) / self.scale @ self.weights + self.offset, axis=1)
        return [self.labels[i] for i in best]


def train(data):
    """The margins to add to a nucleus, and the classifier, from train.csv and its pictures."""
    pictures = read_pictures(data / "images_train.zip")
    margins, numbers, labels = [], [], []
    rows = read_rows(data / "train.csv")
    count = {row["NAME"]: 0 for row in rows}
    for row in rows:
        count[row["NAME"]] += 1
    for row in rows:
        box = np.array([float(row[side]) for side in ("x1", "y1", "x2", "y2")])
        image = pictures[row["NAME"]]
        if count[row["NAME"]] == 1:
            margins.append(box - tight_box(groups(image, 1)[0]))
        numbers.append(describe(image, box))
        labels.append(row["class"])
    return np.median(margins, axis=0), Discriminant().fit(np.array(numbers), labels)


def predict(data, margin, classifier):
    """One row per expected cell: (trustii_id, NAME, x1, y1, x2, y2, class)."""
    pictures = read_pictures(data / "images_test.zip")
    expected = {}
    for row in read_rows(data / "cases.csv"):
        expected.setdefault(row["NAME"], []).append(row["trustii_id"])
    for name, ids in expected.items():
        image = pictures[name]
        boxes = [tight_box(pixels) + margin for pixels in groups(image, len(ids))]
        labels = classifier.predict(np.array([describe(image, box) for box in boxes]))
        for trustii_id, box, label in zip(ids, boxes, labels, strict=True):
            yield [trustii_id, name, *(f"{side:.1f}" for side in box), label]


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=here.parent / "public", help="folder with train.csv and cases.csv")
    parser.add_argument("--out", type=Path, default=Path("predictions.csv"), help="file to write")
    options = parser.parse_args()
    margin, classifier = train(options.data)
    rows = list(predict(options.data, margin, classifier))
    with options.out.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["trustii_id", "NAME", "x1", "y1", "x2", "y2", "class"])
        writer.writerows(rows)
    sys.stdout.write(f"{len(rows)} cells written to {options.out}\n")


if __name__ == "__main__":
    main()
