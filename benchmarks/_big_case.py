"""A large case for timing: evidence for every diagnosis, made by DuckDB and loaded as Parquet."""

from pathlib import Path

from casework.case import Case
from casework.intake import load

_DAY = "TIMESTAMPTZ '2026-01-01 00:00:00+00'"
_SECONDS = 180 * 86_400


def _at(i: str, n: int) -> str:
    """An instant for row `i` of `n`, evenly over 180 days."""
    return f"{_DAY} + to_microseconds(CAST({i} AS BIGINT) * {_SECONDS * 1_000_000 // n})"


def _release(i: str) -> str:
    """The digest of release `i` of six."""
    return f"'sha256:' || lpad(CAST({i} AS VARCHAR), 64, '0')"


def _checkpoint(i: str, n: int) -> str:
    """The digest that served row `i` of `n`."""
    return _release(f"({i}) * 6 // {n}")


def tables(n: int) -> dict[str, str]:
    """The SELECT of each evidence table, for `n` requests."""
    units, candidates, samples, feedback = n // 5, n // 10, n // 50, n // 20
    queries = max(1, candidates // 10)
    return {
        "requests": f"""
            SELECT 'r' || i AS request_id, {_at("i", n)} AS occurred_at, 'chat' AS operation,
                   'svc' AS service, 'production' AS environment, 'v1' AS endpoint,
                   CASE WHEN i % 3 > 0 THEN {_checkpoint("i", n)} END AS checkpoint,
                   'answer' AS prompt_name, 'v' || (i * 12 // {n}) AS prompt_version,
                   md5('p' || (i * 12 // {n})) AS prompt_hash, md5('params') AS params_hash,
                   'u' || (i * 7919 % {max(1, units)}) AS user_id,
                   'a' || (i * 104729 % 5000) AS account_id,
                   CASE WHEN i % 9 = 0 THEN 'enterprise' ELSE 'free' END AS tier,
                   CASE WHEN i % 5 = 0 THEN 'refer' ELSE 'accept' END AS decision,
                   'topic' || (hash(i) % 300) * (hash(i) % 300) // 300 AS topic,
                   100 + i % 900 AS input_tokens
            FROM range({n}) AS r(i)""",
        "alias_events": f"""
            SELECT 'v1' AS alias, {_release("i")} AS checkpoint,
                   {_DAY} + to_days(CAST(30 * i AS INTEGER)) - to_days(1) AS valid_from
            FROM range(6) AS r(i)""",
        "clocks": "SELECT 'gateway' AS host, 0.0 AS offset_s, 2.0 AS error_s",
        "checkpoints": f"""
            SELECT {_release("i")} AS checkpoint, i > 0 AS exists,
                   CASE WHEN i > 0 THEN {_release("i - 1")} END
                       AS base_checkpoint
            FROM range(6) AS r(i)""",
        "units": f"""
            SELECT 'u' || i AS unit_id, 'a' || (i % 5000) AS account_id,
                   {_DAY} - to_days(CAST(1 + i % 700 AS INTEGER)) AS created_at,
                   (hash(i) % 1000) / 100.0 AS sessions_before, (hash(i + 1) % 50) * 1.0 AS seats
            FROM range({units}) AS r(i)""",
        "assignments": f"""
            SELECT 'layout' AS experiment, 'u' || i AS unit_id,
                   CASE WHEN hash(i + 7) % 2 = 0 THEN 'control' ELSE 'treatment' END AS arm,
                   {_DAY} + to_days(60) AS assigned_at
            FROM range({units}) AS r(i)""",
        "outcomes": f"""
            SELECT 'u' || (i % {units}) AS unit_id, 'revenue' AS metric,
                   {_DAY} + to_days(CAST(46 + 7 * (i // {units}) AS INTEGER)) AS occurred_at,
                   (hash(i) % 1000) / 100.0 AS value
            FROM range({units * 6}) AS r(i)""",
        "candidates": f"""
            SELECT 'q' || (i // 10) AS query_id, 'd' || ((i // 10) * 31 + i % 10) % 20000 AS doc_id,
                   {_at("i", candidates)} AS occurred_at,
                   CASE WHEN i < {candidates // 2} THEN 'e1' ELSE 'e2' END AS embedding_model,
                   1 + i % 10 AS dense_rank, 1 - (i % 10) / 12.0 AS dense_score, 'r3' AS reranker,
                   (hash(((i // 10) * 31 + i % 10) % 20000) % 1000) / 1000.0 AS rerank_score,
                   0.4 AS threshold
            FROM range({candidates}) AS r(i)""",
        "judgments": f"""
            SELECT 'q' || i AS query_id, 'd' || (i * 31 + 1) % 20000 AS doc_id, i % 2 AS grade
            FROM range({queries}) AS r(i) WHERE i % 5 = 0""",
        "vectors": f"""
            SELECT 't' || (i % 20) AS text_id, {_DAY} + to_days(CAST(i // 60 AS INTEGER))
                       + to_minutes(CAST(i % 60 AS INTEGER)) AS occurred_at,
                   [CAST(sin(i % 20 + j + CASE WHEN i // 60 >= 90 THEN 0.4 ELSE 0 END) AS FLOAT)
                    FOR j IN range(32)] AS vector
            FROM range({min(10_800, n)}) AS r(i)""",
        "eval_runs": f"""
            SELECT 'run' || i AS run_id,
                   CASE WHEN i % 10 = 9 THEN 'safety' ELSE 'answers' END AS suite,
                   {_DAY} + to_days(CAST(i * 180 // 100 AS INTEGER)) AS started_at,
                   {_DAY} + to_days(CAST(i * 180 // 100 AS INTEGER)) + to_minutes(20) AS ended_at,
                   {_checkpoint("i", 100)} AS checkpoint, 'answer' AS prompt_name,
                   md5('p' || (i * 12 // 100)) AS prompt_hash, md5('params') AS params_hash,
                   0.8 AS score
            FROM range(100) AS r(i)""",
        "eval_samples": f"""
            SELECT 'run' || (i % 100) AS run_id, 'item' || (i // 100) AS item_id,
                   CASE WHEN i % 100 % 10 < 9 THEN 'utility' WHEN i // 100 % 2 = 0 THEN 'unsafe'
                        ELSE 'safe_contrast' END AS kind,
                   'topic' || (i // 100 % 12) AS topic, 'c' || (i // 100 % 6) AS category,
                   'question ' || md5(CAST(i // 100 AS VARCHAR)) || ' and '
                       || md5(CAST(i // 100 + 1 AS VARCHAR)) AS input_text,
                   'answer ' || (i // 100 % 7) AS target, 'answer ' || (hash(i) % 7) AS output_text,
                   CASE WHEN i % 100 % 10 < 9 THEN CAST(hash(i) % 10 < 8 AS DOUBLE) END AS score,
                   CASE WHEN i % 100 % 10 = 9 THEN hash(i) % 10 < 9 END AS refused,
                   {_DAY} - to_days(3) AS added_at,
                   CASE WHEN i // 100 % 9 = 0 THEN 'enterprise' ELSE 'free' END AS tier
            FROM range({samples}) AS r(i)""",
        "exemplars": """
            SELECT 'bank' AS bank, 'ex' || i AS exemplar_id,
                   'question ' || md5('x' || i) || ' and ' || md5('y' || i) AS text,
                   'answer ' || (i % 7) AS label
            FROM range(500) AS r(i)""",
        "feedback": f"""
            SELECT 'f' || i AS feedback_id, {_at("i", feedback)} AS occurred_at,
                   CASE WHEN i % 3 = 0 THEN -1 ELSE 1 END AS signal, 'r' || (i * 20) AS request_id,
                   'a' || (i * 20 * 104729 % 5000) AS account_id,
                   CASE WHEN i % 9 = 0 THEN 'enterprise' ELSE 'free' END AS tier,
                   'production' AS environment, FALSE AS is_internal
            FROM range({feedback}) AS r(i)""",
        "nps": f"""
            SELECT 'a' || (i % 5000) AS account_id, CAST(hash(i) % 11 AS INTEGER) AS score,
                   {_DAY} + to_days(CAST(45 * (i // 5000) AS INTEGER)) AS responded_at,
                   CASE WHEN i % 9 = 0 THEN 'enterprise' ELSE 'free' END AS tier
            FROM range({min(20_000, n)}) AS r(i)""",
        "accounts": """
            SELECT 'a' || i AS account_id,
                   CASE WHEN i % 9 = 0 THEN 'enterprise' ELSE 'free' END AS tier,
                   100.0 + i AS revenue
            FROM range(5000) AS r(i)""",
        "training_rows": f"""
            SELECT 'sft' AS dataset, 'row' || i AS row_id, 'f' || (i * 3) AS source_event_id,
                   'question ' || md5('t' || i) || ' then ' || md5('u' || i) AS prompt,
                   'answer ' || (i % 7) AS chosen, 1.0 AS weight
            FROM range({feedback // 3}) AS r(i)""",
        "row_labels": f"""
            SELECT 'sft' AS dataset, 'row' || (i // 2) AS row_id, 'rater' || (i % 2) AS rater,
                   CASE WHEN hash(i // 2) % 50 = 0 THEN 'style' ELSE 'wrong' END AS label
            FROM range({min(2_000, 2 * (feedback // 3))}) AS r(i)""",
        "model_versions": f"""
            SELECT 'model' AS model, CAST(i AS VARCHAR) AS version,
                   {_release("i")} AS checkpoint, 'p1' AS owner,
                   'p1' AS requested_by, 'p2' AS approved_by, 400 AS review_words,
                   {_DAY} + to_days(CAST(30 * i AS INTEGER)) - to_days(5) AS requested_at,
                   {_DAY} + to_days(CAST(30 * i AS INTEGER)) - to_days(4) AS approved_at,
                   'house' AS benchmark, {_DAY} - to_days(40) AS created_at
            FROM range(6) AS r(i)""",
        "people": f"""
            SELECT 'p' || i AS person, {_DAY} - to_days(900) AS active_from,
                   'Europe/Berlin' AS timezone, 'models' AS team FROM range(1, 3) AS r(i)""",
        "benchmarks": "SELECT 'house' AS benchmark, CAST(NULL AS TIMESTAMPTZ) AS deprecated_at",
        "engagements": f"""
            SELECT 'p2' AS person, {_release("i")} AS object,
                   'opened eval' AS kind,
                   {_DAY} + to_days(CAST(30 * i AS INTEGER)) - to_days(5) + to_hours(4)
                       AS occurred_at
            FROM range(6) AS r(i)""",
        "artifact_inputs": f"""
            SELECT {_release("5")} AS artifact, kind, 'store/' || kind AS uri,
                   'sha256:' || md5(kind) AS digest, 'pinned' AS pin, TRUE AS retrievable,
                   {_DAY} AS verified_at, 'p1' AS owner
            FROM unnest(['train_data', 'base_checkpoint', 'code', 'hyperparameters']) AS k(kind)""",
        "reruns": f"""
            SELECT {_release("5")} AS artifact, 'run' || (i // 500) AS rerun_id,
                   i // 500 AS seed, 'i' || (i % 500) AS item_id, 's' || (i % 3) AS segment,
                   CAST(hash(i) % 10 < 8 AS DOUBLE) AS score, i < 500 AS is_original
            FROM range(4500) AS r(i)""",
        "tickets": f"""
            SELECT 'T' || i AS ticket_id, {_at("i", 200)} + to_days(20) AS reported_at,
                   {_at("i", 200)} AS observed_at, 'v1' AS endpoint
            FROM range(200) AS r(i)""",
        "config_events": f"""
            SELECT {_DAY} + to_days(CAST(15 * i AS INTEGER)) AS occurred_at, 'prompt:answer' AS key,
                   'v' || i AS new_value FROM range(12) AS r(i)""",
    }  # fmt: skip


def write_case(folder: str, requests: int) -> int:
    """Make the case `case.duckdb` in a folder; return its bytes.

    Raises:
        RuntimeError: a table was not loaded whole.
    """
    import duckdb

    case = Path(folder, "case.duckdb")
    Case.create(case).close()
    for name, select in tables(requests).items():
        source = Path(folder, f"{name}.parquet")
        duckdb.sql(f"COPY ({select}) TO '{source}'")
        (outcome,) = load(case, [source])
        if outcome.exhibit is None or outcome.exhibit.rows_rejected:
            raise RuntimeError(f"{name}: {outcome.code} {outcome.reason}")
        source.unlink()
    return case.stat().st_size
