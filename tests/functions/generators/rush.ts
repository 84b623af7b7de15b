// Journey 1 with a client that openapi-typescript made of our document: fifty learners ask for ten seats at once.
// `tsc --strict` reads this, so that whatever the document does not say, or says wrongly, is an error here.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Course = components["schemas"]["CourseOut"];
type Problem = components["schemas"]["Problem"];

const [base, username, password, today] = process.argv.slice(2) as [string, string, string, string];
const api = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: base });

function given<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status} ${answer.response.url}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

function day(after: number): string {
  return new Date(Date.parse(today) + after * 86_400_000).toISOString().slice(0, 10);
}

const session = given(await api.POST("/api/auth/login", { body: { username, password } }));
if (!("access_token" in session)) throw new Error("a second factor is asked for");
const token: string = session.access_token;
const signedIn: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${token}`);
  },
};
api.use(signedIn);

const department = given(await api.POST("/api/departments", { body: { code: "RUSH", name: "Safety" } }));
const semester = given(
  await api.POST("/api/semesters", {
    body: {
      code: "RUSH",
      max_credits: 30,
      starts_on: day(-7),
      add_by: day(14),
      drop_by: day(21),
      withdraw_by: day(60),
      ends_on: day(90),
      time_zone: "Europe/Berlin",
    },
  }),
);
const course: Course = given(
  await api.POST("/api/courses", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { code: "RUSH-1", title: "Fire safety", department_id: department.id, credits: 3, state: "published" },
  }),
);
given(
  await api.POST("/api/sections", {
    body: { course_id: course.id, semester_id: semester.id, code: "A", capacity: 10, waitlist_capacity: 20 },
  }),
);

const students: string[] = [];
for (let number = 0; number < 50; number++) {
  const student = given(
    await api.POST("/api/students", {
      body: { first_name: "Learner", last_name: `${number}`, number: `RUSH-${number}` },
    }),
  );
  students.push(student.id);
}

const enrolled: string[] = [];
const waiting: number[] = [];
const refused: Problem["code"][] = [];
await Promise.all(
  students.map(async (student_id) => {
    const { data, error } = await api.POST("/api/enrollments", { body: { student_id, course_id: course.id } });
    if (error !== undefined) refused.push(error.code);
    else if (data.status === "ENROLLED") enrolled.push(data.id);
    else if (data.wait_no !== null) waiting.push(data.wait_no);
  }),
);

let listed = 0;
let cursor: string | undefined;
do {
  const page = given(
    await api.GET("/api/enrollments", { params: { query: { limit: 7, ...(cursor === undefined ? {} : { cursor }) } } }),
  );
  listed += page.items.length;
  cursor = page.next_cursor ?? undefined;
} while (cursor !== undefined);

const place = { path: { course_id: course.id } };
const read = await api.GET("/api/courses/{course_id}", { params: place });
const tag = read.response.headers.get("ETag");
if (tag === null) throw new Error("no ETag");
const header = { "If-Match": tag };
const changed = await api.PATCH("/api/courses/{course_id}", {
  params: { ...place, header },
  body: { title: "Fire safety, second edition" },
});
const late = await api.PATCH("/api/courses/{course_id}", { params: { ...place, header }, body: { title: "Lost" } });
const credits: number = given(changed).credits;

console.log(
  JSON.stringify({
    enrolled: enrolled.length,
    waiting: waiting.sort((one, other) => one - other),
    refused,
    listed,
    title: given(changed).title,
    credits,
    late: late.error?.code,
  }),
);
