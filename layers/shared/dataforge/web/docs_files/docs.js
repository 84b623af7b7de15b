// The API's document, for people: Swagger UI over /openapi.json, in the reader's colours.
"use strict";

const place = document.getElementById("docs");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

colour();
dark.addEventListener("change", colour);
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 2,
  filter: true,
  displayOperationId: true,
  displayRequestDuration: true,
  syntaxHighlight: { activated: false },
  validatorUrl: null,
  onComplete: () => place.setAttribute("aria-busy", "false"),
});
