"""What DuckDB does alone with OTLP JSON lines: `read_json` and UNNEST, into a table on disk."""

QUERY = """
CREATE TABLE requests AS
WITH grouped AS (
    SELECT unnest(resourceSpans) AS g
    FROM read_json($traces, format = 'newline_delimited', maximum_object_size = 67108864)
), scoped AS (
    SELECT g.resource.attributes AS process, unnest(g.scopeSpans) AS scope FROM grouped
), flat AS (
    SELECT process, unnest(scope.spans) AS s FROM scoped
), mapped AS (
    SELECT s,
           map_from_entries([{k: x.key, v: x.value} FOR x IN s.attributes]) AS a,
           map_from_entries([{k: x.key, v: x.value} FOR x IN process]) AS p
    FROM flat
)
SELECT s.spanId AS request_id,
       make_timestamp(CAST(s.startTimeUnixNano AS BIGINT) // 1000) AS occurred_at,
       make_timestamp(CAST(s.endTimeUnixNano AS BIGINT) // 1000) AS ended_at,
       s.traceId AS trace_id, s.spanId AS span_id, s.parentSpanId AS parent_span_id,
       a['gen_ai.operation.name'].stringValue AS operation,
       p['service.name'].stringValue AS service,
       p['deployment.environment.name'].stringValue AS environment,
       p['cloud.region'].stringValue AS region,
       p['service.instance.id'].stringValue AS replica,
       a['gen_ai.request.model'].stringValue AS endpoint,
       a['gen_ai.response.model'].stringValue AS response_model,
       a['enduser.id'].stringValue AS user_id,
       a['gen_ai.conversation.id'].stringValue AS session_id,
       a['gen_ai.input.messages'].stringValue AS input_text,
       a['gen_ai.output.messages'].stringValue AS output_text,
       CAST(a['gen_ai.usage.input_tokens'].intValue AS BIGINT) AS input_tokens,
       CAST(a['gen_ai.usage.output_tokens'].intValue AS BIGINT) AS output_tokens,
       (s.endTimeUnixNano::BIGINT - s.startTimeUnixNano::BIGINT) / 1e6 AS latency_ms,
       to_json(a) AS attributes
FROM mapped
"""


def unnest(traces: str, folder: str) -> int:
    """Make the table; texts as the JSON that they came as, nothing hashed."""
    import duckdb

    with duckdb.connect(f"{folder}/duckdb.duckdb") as connection:
        connection.execute(QUERY, {"traces": traces})
        row = connection.execute("SELECT count(*) FROM requests").fetchone()
    return int(row[0]) if row else 0
