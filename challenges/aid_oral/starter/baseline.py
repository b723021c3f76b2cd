"""A first entry for AID-Oral: colours of each photograph for the diagnosis, then the lesion's facts for the risk.

    python baseline.py --data ../public --out entry.zip

Needs numpy, pandas, Pillow and scikit-learn. The same data give the same entry. What it does, in order:

1. 17 numbers describe a photograph: its colours in the middle and at the border, and how rough it is;
2. a logistic regression gives each photograph a probability of each diagnosis; the platform takes the mean per lesion;
3. another one gives each lesion its risk, from age, tobacco, size and place, and from its mean probabilities, which for
   training lesions come from models that have not seen the patient.
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LABELS = ["leukoplakia", "erythroplakia", "lichen_planus", "candidiasis", "ulcer"]
COLUMNS = [f"p_{label}" for label in LABELS]
PLACES = ["tongue", "floor", "cheek", "gum", "palate"]


def describe(content):
    """17 numbers about one photograph: means, spreads and their differences from the border, and roughness."""
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.float64)
    height, width = pixels.shape[:2]
    rows, columns = np.indices((height, width))
    away = np.hypot(rows - height / 2, columns - width / 2) / (width / 2)
    middle, border = pixels[away < 0.45], pixels[away > 0.95]
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    rough = [np.abs(np.diff(channel[12:-12, 12:-12], axis=1)).mean() for channel in (red, green, blue)]
    pale = (green - border[:, 1].mean())[away < 0.6]
    shares = [(pale > 25).mean(), (pale < -25).mean()]
    return [*(middle.mean(axis=0) - border.mean(axis=0)), *middle.std(axis=0), *border.mean(axis=0), *rough,
            *shares, *np.percentile(pale, [10, 50, 90])]  # fmt: skip


def photographs(path, ids):
    """(photographs, 17) numbers, in the order of the ids."""
    with zipfile.ZipFile(path) as archive:
        return np.array([describe(archive.read(f"{name}.jpg")) for name in ids])


def model(strength, weight=None):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, class_weight=weight, max_iter=2000))


def facts(lesions, probabilities):
    """What the risk is learned from: one row per lesion."""
    numbers = lesions[["age", "tobacco", "size_mm"]].astype(float)
    for place in PLACES:
        numbers[place] = (lesions["place"] == place).astype(float)
    return numbers.join(probabilities)


def by_lesion(photos, given, lesions):
    """Mean probability of each diagnosis over the photographs of each lesion, in the order of `lesions`."""
    table = pd.DataFrame(given, columns=COLUMNS).groupby(photos["lesion_id"].to_numpy()).mean()
    return table.reindex(lesions["lesion_id"]).set_axis(lesions.index)


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=here.parent / "public", help="folder with the tables and the ZIPs")
    parser.add_argument("--out", type=Path, default=Path("entry.zip"), help="file to write")
    options = parser.parse_args()

    lesions = pd.read_csv(options.data / "lesions_train.csv")
    photos = pd.read_csv(options.data / "photos_train.csv", dtype=str)
    known = photos.merge(lesions, on="lesion_id", how="left", validate="many_to_one")
    seen = photographs(options.data / "photos_train.zip", known["photo_id"])
    test, tests = pd.read_csv(options.data / "lesions_test.csv"), pd.read_csv(options.data / "cases.csv", dtype=str)
    unseen = photographs(options.data / "photos_test.zip", tests["photo_id"])

    naming = model(0.3, "balanced").fit(seen, known["diagnosis"])
    order = [list(naming.classes_).index(label) for label in LABELS]
    given = naming.predict_proba(unseen)[:, order]
    folds = GroupKFold(5).split(seen, groups=known["patient_id"])
    held_out = cross_val_predict(
        model(0.3, "balanced"), seen, known["diagnosis"], cv=list(folds), method="predict_proba"
    )[:, order]
    risky = model(0.1).fit(facts(lesions, by_lesion(known, held_out, lesions)), lesions["transformed"])
    risk = risky.predict_proba(facts(test, by_lesion(tests, given, test)))[:, 1]

    diagnosis = tests[["photo_id", "lesion_id"]].join(pd.DataFrame(given, columns=COLUMNS))
    risks = pd.DataFrame({"lesion_id": test["lesion_id"], "risk": risk})
    with zipfile.ZipFile(options.out, "w") as archive:
        for name, table in (("diagnosis.csv", diagnosis), ("risk.csv", risks)):
            # a ZipInfo has no clock in it, so that the same data give the same bytes
            archive.writestr(zipfile.ZipInfo(name), table.to_csv(index=False, float_format="%.4f", lineterminator="\n"))


if __name__ == "__main__":
    main()
