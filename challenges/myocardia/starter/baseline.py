"""A first entry for MYOCARDIA: logistic regression on the measurements of each exam. The pictures are not used.

    python baseline.py --data ../public --out predictions.csv

Needs pandas and scikit-learn. The same data give the same predictions. What it does, in order:

1. native T1 and T2 depend on the field strength, so the mean of the training exams at that strength is taken off;
2. what was not measured is replaced by the median, and a column says that it was missing;
3. a logistic regression of the three classes, each weighing alike.
"""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MEASURES = ["age", "lvef", "lvedv_index", "t2_ratio", "t1", "t2", "ecv", "lge_mass"]


def features(exams, train):
    """One row of numbers per exam; relaxation times as their distance from the mean at the same field strength."""
    numbers = exams[MEASURES].copy()
    means = train.groupby("field")[["t1", "t2"]].mean()
    for name in ("t1", "t2"):
        numbers[name] -= exams["field"].map(means[name])
    numbers["man"] = (exams["sex"] == "M").astype(float)
    return numbers


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=here.parent / "public", help="folder with train.csv and test.csv")
    parser.add_argument("--out", type=Path, default=Path("predictions.csv"), help="file to write")
    options = parser.parse_args()

    train, test = pd.read_csv(options.data / "train.csv"), pd.read_csv(options.data / "test.csv")
    model = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
        LogisticRegression(C=0.3, class_weight="balanced", max_iter=1000),
    )
    model.fit(features(train, train), train["diagnosis"])
    given = model.predict_proba(features(test, train))

    entry = pd.DataFrame(given, columns=[f"p_{label}" for label in model.classes_])
    entry.insert(0, "exam_id", test["exam_id"])
    columns = ["exam_id", "p_myocarditis", "p_infarction", "p_other"]
    entry[columns].to_csv(options.out, index=False, float_format="%.4f", lineterminator="\n")


if __name__ == "__main__":
    main()
