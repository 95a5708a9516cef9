"""What `feedback_poisoning` asks about the customers: what they ask, answer, click, and are."""

from casework.case import Query
from casework.diagnoses._in_order import in_order
from casework.diagnoses._poisoning_evals import FRESH, SCORED

_OF_CUSTOMERS = """r.occurred_at >= $opened_at AND r.occurred_at <= $closed_at
      AND coalesce(r.account_id, r.user_id) IS NOT NULL
      AND (r.environment IS NULL OR lower(r.environment) NOT IN
           ('staging', 'stage', 'test', 'testing', 'dev', 'development', 'qa', 'sandbox', 'local'))
"""
"""SQL: which requests `r` are of customers, while the eval ran."""

ASKED = Query(
    "asked",
    f"""
    SELECT r.request_id, r.occurred_at, r.locator, coalesce(r.account_id, r.user_id) AS account,
           lower(trim(coalesce(r.tier, a.tier))) AS tier, trim(coalesce(r.tier, a.tier)) AS written,
           a.churned_at IS NOT NULL AS churned, r.input_text, r.attributes
    FROM requests AS r LEFT JOIN accounts AS a ON a.account_id = r.account_id
    WHERE {_OF_CUSTOMERS}
    """,  # noqa: S608  the text is put together of constants
    "Requests of customers while the eval ran.",
)

MEANWHILE = Query(
    "asked_meanwhile",
    "SELECT count(*) AS requests FROM (SELECT request_id FROM asked LIMIT 2)",
    "Whether customers asked more than once while the eval ran.",
    uses=(ASKED,),
)

TRAFFIC = Query(
    "traffic",
    """
    SELECT tier, min(written) AS written, churned, count(DISTINCT request_id) AS requests,
           count(DISTINCT account) AS accounts,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM asked GROUP BY tier, churned ORDER BY tier, churned
    """,
    "Requests, retries set aside, and accounts by tier, of those that left and those that stayed.",
    uses=(ASKED,),
)

TRAFFIC_ONCE = Query(
    "traffic",
    f"""
    SELECT lower(trim(coalesce(r.tier, a.tier))) AS tier,
           min(trim(coalesce(r.tier, a.tier))) AS written, a.churned_at IS NOT NULL AS churned,
           CAST(sum(r.requests) AS BIGINT) AS requests, count(DISTINCT r.account) AS accounts,
           min(r.first) AS first, max(r.last) AS last
    FROM (SELECT r.account_id, coalesce(r.account_id, r.user_id) AS account, r.tier,
                 count(*) AS requests, min(r.occurred_at) AS first, max(r.occurred_at) AS last
          FROM requests AS r WHERE {_OF_CUSTOMERS}
          GROUP BY r.account_id, coalesce(r.account_id, r.user_id), r.tier) AS r
    LEFT JOIN accounts AS a ON a.account_id = r.account_id
    GROUP BY lower(trim(coalesce(r.tier, a.tier))), a.churned_at IS NOT NULL
    ORDER BY tier, churned
    """,  # noqa: S608  the text is put together of constants
    "Requests, none of which was retried, and accounts by tier, of those that left and those that "
    "stayed.",
)

IDS = Query(
    "ids",
    """
    SELECT hash(request_id) AS id FROM requests
    WHERE occurred_at >= $opened_at AND occurred_at <= $closed_at
    """,
    "Hashes of the ids of requests while the eval ran.",
)

REVENUE = Query(
    "revenue",
    f"""
    SELECT lower(trim(tier)) AS tier, churned_at IS NOT NULL AS churned, count(*) AS accounts,
           {in_order("sum", "revenue")} AS revenue, count(revenue) AS with_revenue
    FROM accounts GROUP BY lower(trim(tier)), churned_at IS NOT NULL ORDER BY 1, churned
    """,  # noqa: S608  the text is put together of constants
    "Accounts and yearly revenue by tier, of those that left and those that stayed.",
)

DRAWN = Query(
    "drawn",
    """
    SELECT request_id, account, tier, churned, is_target, occurred_at, input_text,
           attributes ->> '$.topic' AS topic
    FROM (SELECT *, CASE WHEN $by = 'churned' THEN churned
                         ELSE coalesce(tier = $target, FALSE) END AS is_target FROM asked)
    WHERE md5(concat(request_id, '/', CAST($seed AS VARCHAR)))
          < CASE WHEN is_target THEN $cut_target ELSE $cut_reference END
    QUALIFY row_number() OVER (PARTITION BY request_id ORDER BY occurred_at, locator) = 1
    """,
    "Requests drawn by the digest of their id.",
    uses=(ASKED,),
)

SAMPLE = Query(
    "sample",
    "SELECT * FROM drawn ORDER BY request_id",
    "Requests drawn by the digest of their id: of target customers and of the others.",
    uses=(DRAWN,),
)

VECTORS = Query(
    "text_vectors",
    """
    SELECT v.text_id, v.vector FROM vectors AS v
    WHERE (v.text_id IN (SELECT request_id FROM drawn)
           OR v.text_id IN (SELECT item_id FROM eval_samples))
      AND v.embedding_model IS NOT DISTINCT FROM (
          SELECT embedding_model FROM vectors GROUP BY embedding_model
          ORDER BY count(DISTINCT text_id) DESC, embedding_model LIMIT 1)
    QUALIFY row_number() OVER (PARTITION BY v.text_id ORDER BY v.occurred_at DESC, v.locator) = 1
    ORDER BY v.text_id
    """,
    "The latest embedding of each drawn request and of each item, by the model used most.",
    uses=(DRAWN,),
)

CLASSES = Query(
    "classes",
    """
    SELECT account_id, lower(trim(tier)) AS tier, churned_at, churned_at IS NOT NULL AS churned,
           CASE WHEN revenue IS NULL THEN 0
                ELSE ntile(3) OVER (PARTITION BY lower(trim(tier)), revenue IS NULL
                                    ORDER BY revenue, account_id) END AS size
    FROM accounts
    """,
    "Accounts by tier, whether they left, and the third of revenue that they lie in.",
)

PANEL = Query(
    "panel",
    """
    SELECT tier, churned, size,
           count(*) FILTER (WHERE churned_at IS NULL OR churned_at > $first_asked) AS first_there,
           count(*) FILTER (WHERE churned_at IS NULL OR churned_at > $last_asked) AS last_there
    FROM classes GROUP BY tier, churned, size ORDER BY tier, churned, size
    """,
    "Accounts that were there when the first and the last wave of the survey were sent out.",
    uses=(CLASSES,),
)

ANSWERS = Query(
    "answers",
    """
    SELECT n.account_id, lower(trim(coalesce(n.tier, a.tier))) AS tier,
           coalesce(a.churned, FALSE) AS churned, a.size, n.responded_at,
           coalesce(n.invited_at, n.responded_at) AS asked_at,
           CASE WHEN n.score >= 9 THEN 1 WHEN n.score <= 6 THEN -1 ELSE 0 END
               AS vote
    FROM nps AS n LEFT JOIN classes AS a ON a.account_id = n.account_id
    WHERE n.score BETWEEN 0 AND 10
    ORDER BY n.responded_at, n.account_id, n.respondent
    """,
    "Answers to the survey: 1 a promoter, -1 a detractor.",
    uses=(CLASSES,),
)

NO_SURFACE = "not recorded"
"""As `thumbs` calls it."""

THUMBS = Query(
    "thumbs",
    """
    SELECT lower(trim(coalesce(f.tier, a.tier))) AS tier,
           coalesce(f.surface, 'not recorded') AS surface,
           CASE WHEN $by = 'churned' THEN a.churned_at IS NOT NULL
                ELSE coalesce(lower(trim(coalesce(f.tier, a.tier))) = $target, FALSE) END
               AS is_target,
           count(*) FILTER (WHERE f.signal > 0) AS up, count(*) FILTER (WHERE f.signal < 0) AS down
    FROM feedback AS f LEFT JOIN accounts AS a ON a.account_id = f.account_id
    WHERE NOT coalesce(f.is_internal, FALSE)
      AND f.occurred_at >= $opened_at AND f.occurred_at <= $closed_at
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """,
    "Thumbs by tier and surface while the eval ran.",
)

CHOSEN = Query(
    "chosen",
    """
    SELECT tier, is_target, signal, count(*) AS events,
           count(*) FILTER (WHERE used) AS became_items
    FROM (SELECT lower(trim(coalesce(f.tier, a.tier))) AS tier,
                 CASE WHEN $by = 'churned' THEN a.churned_at IS NOT NULL
                      ELSE coalesce(lower(trim(coalesce(f.tier, a.tier))) = $target, FALSE) END
                     AS is_target,
                 CASE WHEN f.signal > 0 THEN 'up' ELSE 'down' END AS signal,
                 f.feedback_id IN (SELECT source_event_id FROM scored
                                   WHERE source_event_id IS NOT NULL)
                 OR coalesce(f.request_id IN (SELECT source_event_id FROM scored
                                              WHERE source_event_id IS NOT NULL), FALSE) AS used
          FROM feedback AS f LEFT JOIN accounts AS a ON a.account_id = f.account_id
          WHERE NOT coalesce(f.is_internal, FALSE) AND f.occurred_at <= $closed_at)
    GROUP BY tier, is_target, signal ORDER BY tier, is_target, signal
    """,
    "Thumbs of customers up and down by tier, given until the eval ended, and how many of them "
    "became items of it.",
    uses=(SCORED,),
)

THUMBS_OVER_TIME = Query(
    "thumbs_over_time",
    """
    SELECT left(md5(coalesce(account_id, user_id, feedback_id)), 2) AS part,
           count(*) FILTER (WHERE occurred_at < $middle) AS early,
           count(*) FILTER (WHERE occurred_at < $middle AND signal > 0) AS early_up,
           count(*) FILTER (WHERE occurred_at >= $middle) AS late,
           count(*) FILTER (WHERE occurred_at >= $middle AND signal > 0) AS late_up
    FROM feedback
    WHERE NOT coalesce(is_internal, FALSE)
      AND occurred_at >= $opened_at AND occurred_at <= $closed_at
    GROUP BY left(md5(coalesce(account_id, user_id, feedback_id)), 2) ORDER BY part
    """,
    "Thumbs in both halves of the time, of up to 256 parts of the accounts, by their digest.",
)

RATED = Query(
    "rated",
    """
    SELECT a.request_id, min(a.occurred_at) AS occurred_at, max(f.signal) AS signal
    FROM asked AS a LEFT JOIN feedback AS f ON f.request_id = a.request_id
    WHERE CASE WHEN $by = 'churned' THEN a.churned ELSE coalesce(a.tier = $target, FALSE) END
    GROUP BY a.request_id
    """,
    "Requests of the target customers with the thumb they got.",
    uses=(ASKED,),
)

DRAWS = Query(
    "draws",
    """
    SELECT span.suite, count(*) AS requests, count(r.signal) AS rated,
           count(*) FILTER (r.signal > 0) AS up,
           count(f.request_id) AS graded,
           count(r.signal) FILTER (f.request_id IS NOT NULL) AS graded_rated,
           count(*) FILTER (f.request_id IS NOT NULL AND r.signal > 0) AS graded_up
    FROM (SELECT f.suite, min(r.occurred_at) AS first, max(r.occurred_at) AS last
          FROM fresh AS f JOIN rated AS r ON r.request_id = f.request_id GROUP BY f.suite) AS span
    JOIN rated AS r ON r.occurred_at BETWEEN span.first AND span.last
    LEFT JOIN (SELECT DISTINCT suite, request_id FROM fresh) AS f
      ON f.suite = span.suite AND f.request_id = r.request_id
    GROUP BY span.suite ORDER BY span.suite
    """,
    "Thumbs of the graded questions of each suite, and of all requests of the target meanwhile.",
    uses=(FRESH, RATED),
)

CHANGED = Query(
    "changed",
    """
    SELECT occurred_at, key, new_value,
           CASE WHEN lower(key) LIKE '%survey%' OR lower(key) LIKE '%nps%'
                  OR lower(key) LIKE '%invit%' THEN 'survey'
                WHEN lower(key) LIKE '%pric%' OR lower(key) LIKE '%outage%'
                  OR lower(key) LIKE '%renew%' OR lower(key) LIKE '%incident%'
                  OR lower(key) LIKE '%contract%' OR lower(key) LIKE '%plan%' THEN 'business'
                ELSE 'product' END AS kind
    FROM config_events
    WHERE occurred_at >= $opened_at AND occurred_at <= $closed_at
    ORDER BY occurred_at, key
    """,
    "What else was changed while the eval ran.",
)
