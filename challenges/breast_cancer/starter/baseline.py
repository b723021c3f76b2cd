"""A first entry for the risk of malignancy: logistic regression on the 30 measurements, each scaled to unit variance.

    python baseline.py --data ../public --out predictions.csv

Needs pandas and scikit-learn. The same data give the same predictions.
"""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=here.parent / "public", help="folder with train.csv and test.csv")
    parser.add_argument("--out", type=Path, default=Path("predictions.csv"), help="file to write")
    options = parser.parse_args()

    # ids such as 007 are text: read as numbers they would lose their zeros
    train = pd.read_csv(options.data / "train.csv", dtype={"id": str})
    test = pd.read_csv(options.data / "test.csv", dtype={"id": str})
    features = [name for name in train.columns if name not in ("id", "label")]

    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    model.fit(train[features], train["label"])
    risk = model.predict_proba(test[features])[:, 1]

    entry = pd.DataFrame({"id": test["id"], "risk": risk})
    entry.to_csv(options.out, index=False, float_format="%.6f", lineterminator="\n")


if __name__ == "__main__":
    main()
