# ruff: noqa: S608  the text is put together of constants
"""What `prompt_leakage` asks the case."""

from casework.case import Query
from casework.diagnoses._environments import outside_tests
from casework.diagnoses._in_order import in_order

RUNS = Query(
    "runs",
    f"""
    SELECT coalesce(r.suite, '') AS suite, s.run_id,
           coalesce(s.condition, 'as_run') AS condition,
           max(r.started_at) AS started_at, max(r.endpoint) AS endpoint,
           max(r.checkpoint) AS checkpoint, max(r.params_hash) AS params_hash,
           count(DISTINCT s.item_id) AS items, count(s.prompt_text) AS prompts,
           count(DISTINCT CASE WHEN e.text IS NOT NULL THEN s.item_id END) AS in_bank,
           count(s.score) AS scored, {in_order("avg", "s.score")} AS score
    FROM eval_samples AS s LEFT JOIN eval_runs AS r ON r.run_id = s.run_id
    LEFT JOIN (SELECT DISTINCT lower(trim(text)) AS text FROM exemplars) AS e
      ON e.text = lower(trim(s.input_text))
    WHERE s.input_text IS NOT NULL
    GROUP BY coalesce(r.suite, ''), s.run_id, coalesce(s.condition, 'as_run')
    ORDER BY max(r.started_at) NULLS FIRST, s.run_id, coalesce(s.condition, 'as_run')
    """,
    "Runs of each suite by condition: items, prompts, items in a bank word for word, scores.",
)

ALIKE = Query(
    "alike",
    """
    SELECT run_id, items, prompts,
           min(run_id) OVER (PARTITION BY asked) AS asked_as,
           min(run_id) OVER (PARTITION BY asked, shown) AS shown_as
    FROM (SELECT run_id, count(DISTINCT item_id) AS items, count(prompt_text) AS prompts,
                 sum(hash(item_id, epoch, input_text)) AS asked,
                 sum(hash(item_id, epoch, input_text, prompt_text)) AS shown
          FROM eval_samples
          WHERE run_id IN (SELECT unnest($runs)) AND coalesce(condition, 'as_run') = 'as_run'
            AND input_text IS NOT NULL
          GROUP BY run_id)
    ORDER BY run_id
    """,
    "For each run the first one with the same items, and with the same items and prompts.",
)

SAMPLES = Query(
    "samples",
    """
    SELECT item_id, epoch, input_text,
           coalesce((SELECT string_agg(t.atom ->> '$', chr(10) ORDER BY t.id)
                     FROM json_tree(CASE WHEN ltrim(prompt_text)[1] IN ('[', '{', '"')
                                          AND json_valid(prompt_text) THEN prompt_text END) AS t
                     WHERE t.type = 'VARCHAR'), prompt_text) AS prompt_text,
           target, output_text, score, coalesce(topic, category) AS topic
    FROM eval_samples
    WHERE run_id = $run AND coalesce(condition, 'as_run') = $condition
      AND input_text IS NOT NULL
    ORDER BY item_id, epoch NULLS FIRST, locator
    """,
    "Samples of a run in one condition. Of a prompt that is kept as JSON, such as a list of "
    "messages, the texts in it.",
)

ITEMS = Query(
    "items",
    f"""
    SELECT count(*) AS samples, count(DISTINCT item_id) AS items,
           count(DISTINCT input_text) AS questions, count(prompt_text) AS prompts,
           count(score) AS scored, {in_order("avg", "score")} AS mean_score
    FROM eval_samples
    WHERE run_id = $run AND coalesce(condition, 'as_run') = $condition
      AND input_text IS NOT NULL
    """,
    "The items of the run that is judged.",
)

BANK = Query(
    "bank",
    """
    SELECT bank, exemplar_id, text, label FROM exemplars
    WHERE $bank IS NULL OR bank = $bank
    ORDER BY bank, exemplar_id
    """,
    "Examples that prompts are made of.",
)

BANKS = Query(
    "banks",
    """
    SELECT bank, count(*) AS exemplars, count(label) AS labels, count(source_row) AS with_source
    FROM exemplars GROUP BY bank ORDER BY exemplars DESC, bank
    """,
    "Example banks in the case.",
)

TRAINING = Query(
    "training",
    """
    SELECT dataset AS bank, row_id AS exemplar_id, coalesce(prompt, chosen) AS text,
           chosen AS label
    FROM training_rows WHERE coalesce(prompt, chosen) IS NOT NULL
    ORDER BY dataset, row_id
    """,
    "Training rows.",
)

DATASETS = Query(
    "datasets",
    "SELECT dataset, count(*) AS training_rows FROM training_rows GROUP BY dataset "
    "ORDER BY training_rows DESC, dataset",
    "Training sets in the case.",
)

SOURCES = Query(
    "sources",
    """
    SELECT s.item_id,
           coalesce(s.attributes->>'$.source_row', s.attributes->>'$.metadata.source_row',
                    s.item_id) AS source_row,
           coalesce(s.attributes->>'$.source_uri', s.attributes->>'$.metadata.source_uri',
                    r.attributes->>'$.eval.dataset.location') AS source_uri
    FROM eval_samples AS s LEFT JOIN eval_runs AS r ON r.run_id = s.run_id
    WHERE s.run_id = $run AND coalesce(s.condition, 'as_run') = $condition
    """,
    "The row of the file that each item was read from.",
)

SAME_SOURCE = Query(
    "same_source",
    """
    SELECT DISTINCT s.item_id, e.bank, e.exemplar_id
    FROM sources AS s JOIN exemplars AS e ON e.source_row = s.source_row
    WHERE ($bank IS NULL OR e.bank = $bank) AND s.source_uri <> ''
      AND (e.source_uri = s.source_uri
           OR right(e.source_uri, length(s.source_uri) + 1) = '/' || s.source_uri
           OR right(s.source_uri, length(e.source_uri) + 1) = '/' || e.source_uri)
    ORDER BY s.item_id, e.bank, e.exemplar_id
    """,
    "Items and examples that are the same row of the same file.",
    uses=(SOURCES,),
)

SAME_EVENT = Query(
    "same_event",
    """
    SELECT DISTINCT s.item_id, t.dataset AS bank, t.row_id AS exemplar_id
    FROM eval_samples AS s JOIN training_rows AS t ON t.source_event_id = s.source_event_id
    WHERE s.run_id = $run AND coalesce(s.condition, 'as_run') = $condition
    ORDER BY s.item_id, t.dataset, t.row_id
    """,
    "Items and training rows that were made of the same event.",
)

BY_LEAK = Query(
    "scores_by_leak",
    f"""
    SELECT item_id IN (SELECT unnest($leaked)) AS leaked,
           condition, count(*) AS items, {in_order("avg", "score")} AS mean_score,
           min(score) AS lowest, max(score) AS highest
    FROM (SELECT item_id, coalesce(condition, 'as_run') AS condition,
                 {in_order("avg", "score")} AS score
          FROM eval_samples
          WHERE run_id IN (SELECT unnest($runs)) AND input_text IS NOT NULL
            AND score IS NOT NULL
            AND (run_id = $run OR coalesce(condition, 'as_run') <> $condition)
          GROUP BY item_id, coalesce(condition, 'as_run'))
    GROUP BY 1, condition ORDER BY 1, condition
    """,
    "Scores of the items that leaked and of the others, by condition.",
)

RECURRING = Query(
    "recurring",
    f"""
    SELECT i.item_id, count(DISTINCT r.request_id) AS requests,
           count(DISTINCT r.account_id) AS accounts
    FROM (SELECT item_id, min(lower(trim(input_text))) AS question FROM eval_samples
          WHERE run_id = $run AND coalesce(condition, 'as_run') = $condition
            AND item_id IN (SELECT unnest($leaked))
          GROUP BY item_id) AS i
    JOIN requests AS r ON lower(trim(r.input_text)) = i.question
    WHERE {outside_tests("r.environment")}
    GROUP BY i.item_id ORDER BY i.item_id
    """,
    "Leaked items that customers ask word for word, and how many requests do; those of "
    "environments for tests are left out.",
)

RESTED_ON = Query(
    "rested_on",
    """
    SELECT count(*) AS versions, count(approved_at) AS approved
    FROM model_versions
    WHERE eval_run_id IN (SELECT unnest($runs)) OR ($suite <> '' AND benchmark = $suite)
    """,
    "Model versions whose card rests on this suite.",
)

SERVED = Query(
    "served",
    """
    SELECT count(DISTINCT request_id) AS requests, count(DISTINCT account_id) AS accounts,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM requests WHERE checkpoint = $checkpoint
    """,
    "Requests that the evaluated checkpoint served.",
)
