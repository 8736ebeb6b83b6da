/** The import table of docs/architecture.md, as rules. test/architecture.test.ts runs them and shows that they bite. */
module.exports = {
  forbidden: [
    rule("sdk-stands-alone", "^sdk/src", "^(server|dashboard)/"),
    rule(
      "dashboard-talks-through-the-client",
      "^dashboard/src",
      "^(server/|sdk/(?!(src|dist)/client))",
    ),
    rule(
      "server-uses-the-sdk-by-name",
      "^server/src",
      "^(dashboard/|sdk/(?!(src|dist)/(core|client)))",
    ),
    rule("domain-knows-no-transport", "^server/src/domain", "^server/src/(http|cli)/"),
    rule("store-knows-no-rules", "^server/src/store", "^server/src/(domain|http|cli)/"),
    rule("http-knows-no-command-line", "^server/src/http", "^server/src/cli/"),
    {
      name: "the-store-is-asked-by-its-interface",
      comment: "Only what opens the store sees an engine; everybody else sees store.ts.",
      severity: "error",
      from: { path: "^server/src/(domain|http)", pathNot: "\\.test\\.ts$" },
      to: { path: "^server/src/store/(?!(store|sign-in-schema)\\.ts$)" },
    },
    {
      name: "the-lease-protocol-does-no-io",
      comment:
        "sdk/src/lease and the revocation room run in a simulator: no Node module but for types.",
      severity: "error",
      from: { path: "^(sdk/src/lease|server/src/domain/revocation)/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "everything-resolves",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "default"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".cjs", ".json"],
    },
  },
};

function rule(name, from, to) {
  return {
    name,
    severity: "error",
    from: { path: from, pathNot: "\\.test\\.tsx?$" },
    to: { path: to },
  };
}
