"""Schemas as texts: a shop in DBML."""

SHOP = """
// a shop
Project shop { database_type: 'PostgreSQL' Note: 'about { braces }' }
TablePartial stamped {
  created_at timestamptz [not null, default: `now()`]
}
Table people as P [headercolor: #3498db, note: 'who buys'] {
  id bigint [pk, increment]
  "full name" varchar(255) [not null, unique, note: 'as in the ''pass''']  /* said
  over two lines */
  feels mood [default: 'ok']
  age int [default: -1, check: `age > -2`]
  tags "text"[]
  price numeric(10, 2) [default: 1.10]
  ~stamped
  checks {
    `age < 200` [name: 'mortal']
  }
  indexes {
    (feels, age) [unique, name: 'by_mood']
    `lower("full name")` [type: btree]
    age
  }
  Note: '''
    Two lines,
    it\\'s true
  '''
}
Enum mood { sad
 "it's ok" [note: 'not kept']
 ok }
Table orders {
  shop int
  number int
  buyer bigint [ref: > people.id]
  at timestamp with time zone
  indexes { (shop, number) [pk] }
}
Table lines {
  shop int
  number int
}
Ref to_order { lines.(shop, number) > orders.(shop, number) [delete: cascade, update: no action] }
Ref: orders.buyer > P.id [delete: set null]
TableGroup all { people
 orders }
Note remark { 'x' }
"""
