"""Questions to the catalog about types, views and statistics; `queries` puts the answers into the model."""

READ_BY_VIEWS = """
SELECT DISTINCT v.relname AS view,
       coalesce(t.relname, 'type:' || coalesce(e.typname, y.typname), 'key:' || o.conname) AS name
  FROM pg_rewrite r
  JOIN pg_class v ON v.oid = r.ev_class AND v.relnamespace = %(namespace)s AND v.relkind IN ('v', 'm')
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  LEFT JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid AND t.oid <> v.oid
  LEFT JOIN pg_type y ON d.refclassid = 'pg_type'::regclass AND y.oid = d.refobjid
  LEFT JOIN pg_type e ON e.oid = y.typelem AND y.typcategory = 'A'
  LEFT JOIN pg_constraint o ON d.refclassid = 'pg_constraint'::regclass AND o.oid = d.refobjid
 WHERE t.oid IS NOT NULL OR y.oid IS NOT NULL OR o.oid IS NOT NULL
"""
COMPOSITES = """
SELECT t.typname AS name, obj_description(t.oid, 'pg_type') AS comment,
       (SELECT json_agg(json_build_object(
                 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                 'collation', CASE WHEN a.attcollation <> y.typcollation THEN l.collname END,
                 'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
          FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes
  FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
 WHERE t.typnamespace = %(namespace)s ORDER BY t.typname
"""
RANGES = """
SELECT t.typname AS name, format_type(r.rngsubtype, NULL) AS subtype, obj_description(t.oid, 'pg_type') AS comment,
       CASE WHEN NOT o.opcdefault THEN o.opcname END AS opclass, p.proname AS difference, m.typname AS multirange,
       CASE WHEN r.rngcollation <> s.typcollation THEN l.collname END AS collation
  FROM pg_range r
  JOIN pg_type t ON t.oid = r.rngtypid
  JOIN pg_type s ON s.oid = r.rngsubtype
  JOIN pg_type m ON m.oid = r.rngmultitypid
  JOIN pg_opclass o ON o.oid = r.rngsubopc
  LEFT JOIN pg_collation l ON l.oid = r.rngcollation
  LEFT JOIN pg_proc p ON p.oid = r.rngsubdiff
 WHERE t.typnamespace = %(namespace)s ORDER BY t.typname
"""
STATISTICS = """
SELECT s.stxname AS name, c.relname AS table, nullif(s.stxstattarget, -1) AS target, s.stxkind::text[] AS kinds,
       obj_description(s.oid, 'pg_statistic_ext') AS comment,
       (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C") FROM unnest(s.stxkeys) k(attnum)
          JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k.attnum) AS columns,
       pg_get_statisticsobjdef_expressions(s.oid) AS expressions
  FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid
 WHERE s.stxnamespace = %(namespace)s ORDER BY s.stxname
"""
COLUMNS_OF_VIEWS = """
SELECT c.relname AS view, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       a.attcollation::int AS collation, pg_get_expr(d.adbin, d.adrelid) AS default,
       col_description(c.oid, a.attnum) AS comment, nullif(a.attstattarget, -1) AS statistics
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = %(namespace)s AND c.relkind IN ('v', 'm')
 ORDER BY c.oid, a.attnum
"""
