-- What a year of training left in version 1: run in the schema of the workspace, before version 2 is deployed.
INSERT INTO sites (code, name, time_zone) VALUES ('BER', 'Berlin works', 'Europe/Berlin'), ('PUN', 'Pune works', 'Asia/Kolkata');
INSERT INTO rooms (site_id, name, seats) SELECT s.id, 'Room ' || n, 8 + n FROM sites s, generate_series(1, 3) n;
INSERT INTO teams (site_id, name) SELECT s.id, t.name FROM sites s, (VALUES ('Press shop'), ('Paint shop'), ('Assembly')) t (name);
INSERT INTO people (team_id, mail, first_name, last_name, hired_on)
SELECT 1 + n % 6, 'person' || n || '@example.org', (ARRAY['Ada', 'Alan', 'Barbara', 'Edsger', 'Grace'])[1 + n % 5], 'Number ' || n,
       CASE WHEN n % 4 > 0 THEN DATE '2019-04-01' + n END
  FROM generate_series(1, 400) n;
UPDATE teams SET lead_id = id;
INSERT INTO trainers (person_id, since, day_rate) SELECT id, '2021-01-01', 400 + id FROM people WHERE id <= 8;
INSERT INTO topics (name) VALUES ('Safety'), ('Quality');
INSERT INTO topics (parent_id, name) VALUES (1, 'Fire'), (1, 'Lifting'), (2, 'Audits');
INSERT INTO courses (code, title, level, topic_id, minutes, price) VALUES
  ('SAFE-101', 'Fire safety', 'basic', 3, 90, 0), ('SAFE-201', 'Evacuation lead', 'advanced', 3, 240, 120),
  ('LIFT-110', 'Fork lifts', 'expert', 4, 480, 350), ('QA-300', 'Internal audits', 'expert', 5, 960, 800);
INSERT INTO course_trainers SELECT c.id, t.id FROM courses c, trainers t WHERE (c.id + t.id) % 2 = 0;
INSERT INTO course_prerequisites VALUES (2, 1);
INSERT INTO lessons (course_id, number, title, url)
SELECT c.id, n, c.title || ', part ' || n, 'https://lms.example.org/' || c.code || '/' || n FROM courses c, generate_series(1, 4) n;
INSERT INTO lesson_files (lesson_id, name, bytes, sha256) SELECT id, 'slides.pdf', 1000000 + id, encode(sha256(url::bytea), 'hex') FROM lessons;
INSERT INTO runs (course_id, room_id, trainer_id, starts_at, ends_at, state)
SELECT 1 + n % 4, 1 + n % 6, 1 + n % 8, TIMESTAMPTZ '2026-01-05 09:00+00' + n * interval '1 day',
       TIMESTAMPTZ '2026-01-05 16:00+00' + n * interval '1 day', CASE WHEN n < 150 THEN 'over' ELSE 'planned' END::run_state
  FROM generate_series(1, 200) n;
INSERT INTO bookings (run_id, person_id, state)
SELECT 1 + n % 200, 1 + (n * 7) % 400, (ARRAY['asked', 'booked', 'waiting', 'dropped'])[1 + n % 4]::booking_state
  FROM generate_series(1, 2000) n ON CONFLICT DO NOTHING;
INSERT INTO attendance (booking_id, day, minutes) SELECT id, '2026-03-02', 90 FROM bookings WHERE state = 'booked';
INSERT INTO exams (course_id, title, pass_mark) SELECT id, title || ': exam', 70 FROM courses;
INSERT INTO questions (exam_id, number, text) SELECT e.id, n, 'Question ' || n FROM exams e, generate_series(1, 5) n;
INSERT INTO choices (question_id, letter, text, correct) SELECT q.id, l, 'Answer ' || l, l = 'B' FROM questions q, unnest(ARRAY['A', 'B', 'C']) l;
INSERT INTO attempts (exam_id, person_id, ended_at, score) SELECT 1 + n % 4, 1 + n % 400, now(), 40 + n % 61 FROM generate_series(1, 800) n;
INSERT INTO answers (attempt_id, question_id, choice_id)
SELECT a.id, q.id, (SELECT min(c.id) FROM choices c WHERE c.question_id = q.id) + a.id % 3 FROM attempts a JOIN questions q ON q.exam_id = a.exam_id;
INSERT INTO certificates (person_id, course_id) SELECT DISTINCT person_id, course_id FROM passed;
INSERT INTO certificate_renewals (certificate_id, renewed_on) SELECT id, '2026-11-02' FROM certificates WHERE id % 5 = 0;
INSERT INTO budgets (team_id, year, amount) SELECT id, 2026, 12000 + id FROM teams;
INSERT INTO invoices (run_id, number, issued_on) SELECT id, 'R-' || id, '2026-06-30' FROM runs WHERE state = 'over' AND id % 10 = 0;
INSERT INTO invoice_lines (invoice_id, position, text, quantity, price) SELECT i.id, n, 'Seat', n, 120.50 FROM invoices i, generate_series(1, 3) n;
INSERT INTO feedback (booking_id, stars, words) SELECT id, 1 + id % 5, 'Clear and to the point' FROM bookings WHERE state = 'booked';
INSERT INTO tags (name) VALUES ('mandatory'), ('online');
INSERT INTO course_tags SELECT c.id, t.id FROM courses c, tags t WHERE (c.id + t.id) % 2 = 0;
INSERT INTO reminders (booking_id, due_at) SELECT id, TIMESTAMPTZ '2026-12-01 07:00+00' FROM bookings WHERE state = 'asked';
INSERT INTO equipment (site_id, name, serial_number) SELECT s.id, 'Extinguisher', s.code || '-1' FROM sites s;
INSERT INTO visits SELECT TIMESTAMPTZ '2025-12-30 12:00+00' + n * interval '1 hour', 1 + n % 400, '/courses/' || n % 4 FROM generate_series(1, 200) n;
REFRESH MATERIALIZED VIEW course_results;
