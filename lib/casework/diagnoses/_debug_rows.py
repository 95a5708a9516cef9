"""Where the rows of a training set came from: the questions of `debug_feedback` on provenance."""

from casework.case import Query
from casework.diagnoses._debug_clicks import BURSTS
from casework.diagnoses._debug_texts import SET_ROWS
from casework.diagnoses._in_order import in_order

DATASETS = Query(
    "datasets",
    """
    SELECT t.dataset, count(*) AS rows, count(t.source_event_id) AS with_event,
           count(*) FILTER (WHERE t.weight > 0 OR t.weight IS NULL) AS weighing
    FROM training_rows AS t GROUP BY t.dataset ORDER BY rows DESC, t.dataset
    """,
    "Training sets in the case.",
)

ANSWERED = Query(
    "answered",
    "SELECT count(chosen) AS rows FROM training_rows WHERE dataset = $dataset",
    "Rows of the set with a recorded answer; without any, none lacks one.",
)

ASKED_IN = Query(
    "asked_in",
    """
    SELECT request_id, min(environment) AS environment FROM requests
    WHERE trim(environment) <> '' AND request_id IN (
        SELECT request_id FROM feedback
        WHERE coalesce(trim(environment), '') = '' AND request_id IS NOT NULL)
    GROUP BY request_id
    """,
    "Environment of the request, where the feedback does not name its own.",
)

ENVIRONMENTS = Query(
    "environments",
    """
    SELECT lower(trim(environment)) AS environment, count(*) AS events
    FROM (SELECT environment FROM feedback UNION ALL SELECT environment FROM asked_in)
    WHERE trim(environment) <> ''
    GROUP BY lower(trim(environment)) ORDER BY events DESC, environment LIMIT 1000
    """,
    "Deployment environments that feedback came from.",
    uses=(ASKED_IN,),
)

SURFACES = Query(
    "surfaces",
    """
    SELECT lower(trim(surface)) AS surface, count(*) AS events
    FROM feedback WHERE surface IS NOT NULL
    GROUP BY lower(trim(surface)) ORDER BY events DESC, surface LIMIT 1000
    """,
    "Surfaces on which feedback was given.",
)

STAFF_DOMAINS = Query(
    "staff_domains",
    """
    SELECT lower(split_part(person, '@', 2)) AS domain, 'directory' AS source, count(*) AS people
    FROM people WHERE person LIKE '%_@_%' GROUP BY lower(split_part(person, '@', 2))
    UNION ALL
    SELECT lower(email_domain), 'flag', count(*) FROM feedback
    WHERE email_domain <> '' AND is_internal IS NOT NULL GROUP BY lower(email_domain)
    HAVING count(*) >= 5 AND count(*) FILTER (WHERE is_internal) >= 0.9 * count(*)
    ORDER BY people DESC, domain, source LIMIT 20
    """,
    "Domains of the addresses in the directory, and of feedback that is flagged as internal nine "
    "times in ten.",
)

STAFF_EVENTS = Query(
    "staff_events",
    """
    SELECT DISTINCT f.feedback_id
    FROM feedback AS f JOIN people AS p ON lower(p.person) = lower(f.user_id)
    WHERE (p.active_from IS NULL OR p.active_from <= f.occurred_at)
      AND (p.active_until IS NULL OR p.active_until > f.occurred_at)
    """,
    "Feedback of people whom the directory holds, at the time at which they gave it.",
)

DIRECTORY = Query(
    "directory",
    """
    SELECT count(*) AS events FROM feedback
    WHERE lower(user_id) IN (SELECT lower(person) FROM people)
    """,
    "Feedback of people whom the directory holds, at whatever time; none where it names people by "
    "other ids.",
)

TEST_TENANTS = Query(
    "test_tenants",
    """
    SELECT account_id AS tenant FROM accounts
    WHERE lower(tier) IN ('internal', 'test', 'demo', 'staff', 'sandbox')
    UNION
    SELECT unit_id FROM units WHERE is_internal OR is_bot
    """,
    "Accounts and users that are marked as internal, as a test, or as a bot.",
)

OF_REQUESTS = Query(
    "of_requests",
    """
    SELECT request_id, min(feedback_id) AS feedback_id
    FROM feedback
    WHERE request_id IN (SELECT source_event_id FROM set_rows)
      AND request_id NOT IN (SELECT feedback_id FROM feedback)
    GROUP BY request_id HAVING count(*) = 1
    """,
    "The one feedback of each request that a row names in place of its feedback.",
    uses=(SET_ROWS,),
)

LINKED = Query(
    "linked",
    """
    SELECT r.row_id, r.source_event_id, r.weight, r.prompt_length, r.has_no_answer, r.is_mash,
           r.same_answer, r.prompt_key, r.texts_key, r.is_bare,
           o.request_id IS NOT NULL AS by_request,
           f.feedback_id, f.occurred_at, f.surface, f.reason, f.comment IS NOT NULL AS commented,
           coalesce(f.user_id, f.session_id) AS clicker,
           coalesce(f.request_id, f.correction, f.comment, f.feedback_id) AS about,
           lower(trim(coalesce(nullif(trim(f.environment), ''), q.environment))) AS environment,
           coalesce(f.is_internal, FALSE) AS by_flag,
           s.feedback_id IS NOT NULL AS by_directory,
           coalesce(list_contains($domains, lower(coalesce(
               nullif(f.email_domain, ''), nullif(split_part(f.user_id, '@', 2), '')))), FALSE)
               AS by_domain,
           coalesce(f.account_id IN (SELECT tenant FROM test_tenants), FALSE)
               OR coalesce(f.user_id IN (SELECT tenant FROM test_tenants), FALSE) AS by_tenant,
           coalesce(list_contains($surfaces, nullif(lower(trim(f.surface)), '')), FALSE)
               AS by_build,
           a.account_id IS NOT NULL
               OR ($directory_used AND coalesce(NOT f.is_internal, FALSE)) AS is_customer,
           f.is_internal IS NOT NULL OR a.account_id IS NOT NULL
               OR ($directory_used AND f.user_id IS NOT NULL)
               OR ($domains <> [''] AND (coalesce(f.email_domain, '') <> ''
                                         OR coalesce(f.user_id, '') LIKE '%_@_%')) AS is_told
    FROM set_rows AS r
    LEFT JOIN of_requests AS o ON o.request_id = r.source_event_id
    LEFT JOIN feedback AS f ON f.feedback_id = coalesce(o.feedback_id, r.source_event_id)
    LEFT JOIN asked_in AS q ON q.request_id = f.request_id
    LEFT JOIN staff_events AS s ON s.feedback_id = f.feedback_id
    LEFT JOIN accounts AS a ON a.account_id = f.account_id
    """,
    "Each row with the feedback that it was made from, and which rules say that its giver is "
    "internal.",
    uses=(SET_ROWS, OF_REQUESTS, ASKED_IN, STAFF_EVENTS, TEST_TENANTS),
)

BY_REQUEST = Query(
    "by_request",
    "SELECT count(*) AS rows FROM linked WHERE by_request",
    "Rows that name the request of their feedback, and not the feedback.",
    uses=(LINKED,),
)

PLACED = Query(
    "placed",
    """
    SELECT *,
           CASE WHEN feedback_id IS NULL THEN 'unmatched'
                WHEN environment IS NULL THEN 'not recorded'
                WHEN list_contains($production, environment) THEN 'production'
                WHEN list_contains($elsewhere, environment) THEN 'elsewhere'
                ELSE 'not recognised' END AS stage,
           by_flag OR by_directory OR by_tenant OR by_build
               OR (by_domain AND NOT is_customer) AS is_internal,
           by_domain AND is_customer
               AND NOT (by_flag OR by_directory OR by_tenant OR by_build) AS is_disputed,
           feedback_id IS NOT NULL AND NOT is_told AND NOT (by_tenant OR by_build) AS is_open
    FROM linked
    """,
    "Each row with its environment, and whether its giver is internal. A corporate domain alone "
    "does not make a customer internal: someone with an account, or whom flag and directory deny. "
    "Where nothing could tell an insider it is open.",
    uses=(LINKED,),
)

ORIGINS = Query(
    "origins",
    f"""
    SELECT stage, environment, surface, is_internal, sum(many) AS rows,
           {in_order("sum", "each * many")} AS weight,
           sum(disputed) AS disputed_rows,
           {in_order("sum", "each * disputed")} AS disputed_weight,
           {in_order("sum", "each * open")} AS open_weight, min(first) AS first, max(last) AS last
    FROM (SELECT stage, environment, surface, is_internal, weight AS each, count(*) AS many,
                 count(*) FILTER (WHERE is_disputed) AS disputed,
                 count(*) FILTER (WHERE is_open) AS open,
                 min(occurred_at) AS first, max(occurred_at) AS last
          FROM placed GROUP BY stage, environment, surface, is_internal, weight)
    GROUP BY stage, environment, surface, is_internal
    ORDER BY weight DESC, rows DESC, stage, environment, surface, is_internal
    """,  # noqa: S608  the text is put together of constants
    "Rows by environment, surface and internal.",
    uses=(PLACED,),
)

RULES = Query(
    "rules",
    f"""
    SELECT by_flag, by_directory, by_domain, by_tenant, by_build, is_disputed,
           sum(many) AS rows, {in_order("sum", "each * many")} AS weight
    FROM (SELECT by_flag, by_directory, by_domain, by_tenant, by_build, is_disputed,
                 weight AS each, count(*) AS many
          FROM placed WHERE by_flag OR by_directory OR by_domain OR by_tenant OR by_build
          GROUP BY by_flag, by_directory, by_domain, by_tenant, by_build, is_disputed, weight)
    GROUP BY by_flag, by_directory, by_domain, by_tenant, by_build, is_disputed
    ORDER BY weight DESC, rows DESC, by_flag, by_directory, by_domain, by_tenant, by_build,
             is_disputed
    """,  # noqa: S608  the text is put together of constants
    "Rows by which rules say that their giver is internal: each rule's own contribution is read "
    "from the combinations.",
    uses=(PLACED,),
)

HAMMERED = Query(
    "hammered",
    """
    SELECT clicker, prompt_key FROM linked
    WHERE clicker IS NOT NULL AND prompt_key IS NOT NULL
    GROUP BY clicker, prompt_key HAVING count(DISTINCT about) >= 5
    """,
    "Prompts that one person judged five times or more, retries of one event set aside.",
    uses=(LINKED,),
)

SCREENED = Query(
    "screened",
    """
    SELECT p.row_id, p.weight, p.stage, p.is_internal, p.occurred_at, p.reason,
           p.stage = 'elsewhere' OR p.is_internal AS is_suspect,
           CASE WHEN p.reason IS NULL AND NOT coalesce(p.commented, FALSE) THEN 'nothing'
                WHEN NOT p.commented THEN 'reason' WHEN p.reason IS NULL THEN 'comment'
                ELSE 'both' END AS told,
           p.prompt_length, p.has_no_answer AND $answers AS no_answer,
           p.same_answer AND NOT p.has_no_answer AS same_answer, p.is_mash,
           h.clicker IS NOT NULL AS is_hammered,
           b.feedback_id IS NOT NULL AS in_burst,
           CASE WHEN p.is_bare THEN p.source_event_id ELSE p.texts_key END IS NOT NULL
               AND row_number() OVER (
                   PARTITION BY CASE WHEN p.is_bare THEN p.source_event_id ELSE p.texts_key END
                   ORDER BY p.row_id) > 1 AS is_repeat
    FROM placed AS p
    LEFT JOIN hammered AS h ON h.clicker = p.clicker AND h.prompt_key = p.prompt_key
    LEFT JOIN bursts AS b ON b.feedback_id = p.feedback_id
    """,
    "Each row with what its behaviour says of it.",
    uses=(PLACED, HAMMERED, BURSTS),
)

SCREEN = Query(
    "screen",
    f"""
    SELECT coalesce(sum(many), 0) AS rows, {in_order("sum", "each * many")} AS weight,
           coalesce({in_order("sum", "each * no_answer")}, 0) AS no_answer,
           coalesce({in_order("sum", "each * same_answer")}, 0) AS same_answer,
           coalesce({in_order("sum", "each * is_mash")}, 0) AS is_mash,
           coalesce({in_order("sum", "each * is_hammered")}, 0) AS is_hammered,
           coalesce({in_order("sum", "each * in_burst")}, 0) AS in_burst,
           coalesce({in_order("sum", "each * flagged")}, 0) AS flagged,
           coalesce({in_order("sum", "each * repeats")}, 0) AS repeats,
           coalesce({in_order("sum", "each * suspect")}, 0) AS suspect,
           coalesce({in_order("sum", "each * suspect_once")}, 0) AS suspect_once,
           coalesce({in_order("sum", "each * once")}, 0) AS weight_once,
           coalesce({in_order("sum", "each * each * many")}, 0) AS squares,
           min(first) AS first, max(last) AS last
    FROM (SELECT weight AS each, count(*) AS many,
                 count(*) FILTER (WHERE no_answer) AS no_answer,
                 count(*) FILTER (WHERE same_answer) AS same_answer,
                 count(*) FILTER (WHERE is_mash) AS is_mash,
                 count(*) FILTER (WHERE is_hammered) AS is_hammered,
                 count(*) FILTER (WHERE in_burst) AS in_burst,
                 count(*) FILTER (WHERE no_answer OR same_answer OR is_mash OR is_hammered
                                     OR in_burst) AS flagged,
                 count(*) FILTER (WHERE is_repeat) AS repeats,
                 count(*) FILTER (WHERE is_suspect) AS suspect,
                 count(*) FILTER (WHERE is_suspect AND NOT is_repeat) AS suspect_once,
                 count(*) FILTER (WHERE NOT is_repeat) AS once,
                 min(occurred_at) AS first, max(occurred_at) AS last
          FROM screened GROUP BY weight)
    """,  # noqa: S608  the text is put together of constants
    "Weight of the rows that behaviour speaks against, and of repeated rows.",
    uses=(SCREENED,),
)
