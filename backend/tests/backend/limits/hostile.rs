//! Hostile documents, and careless ones.

use std::fmt::Write;

/// Documents that are refused, with the reason.
pub(crate) fn hostile() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, document: String| all.push((what.to_owned(), document));
    for depth in [13, 16, 25, 40, 100, 1000, 20_000] {
        let open = "incidents { edges { node { service { ".repeat(depth);
        add(
            "depth",
            format!(
                "{{ services {{ {open} id {} }} }}",
                " } } } }".repeat(depth)
            ),
        );
        add("unbalanced", format!("{{ services {{ {open}"));
    }
    for n in [21, 100, 300, 1001, 5000, 60_000] {
        let aliases = (0..n).fold(String::new(), |mut all, i| {
            write!(all, "a{i}: services {{ id }} ").unwrap();
            all
        });
        add("aliases", format!("{{ {aliases} }}"));
        add(
            "repetition",
            format!("{{ {} }}", "services { id } ".repeat(n)),
        );
        add(
            "aliases inside",
            format!(
                "{{ services {{ {} }} }}",
                aliases.replace("services { id }", "name")
            ),
        );
        add(
            "mutations",
            format!(
                "mutation {{ {} }}",
                aliases.replace("services { id }", "deleteService(id: \"x\")")
            ),
        );
        add(
            "unknown fields",
            format!("{{ services {{ {} }} }}", "x ".repeat(n)),
        );
        add(
            "directives",
            format!("{{ services {{ id {} }} }}", "@skip(if: false) ".repeat(n)),
        );
        add(
            "unknown directives",
            format!("{{ services {{ id {} }} }}", "@x ".repeat(n)),
        );
        let directives = "id @include(if: true) ".repeat(n);
        add(
            "many directives",
            format!("{{ services {{ {directives} }} }}"),
        );
        add(
            "variables",
            format!(
                "query({}) {{ services {{ id }} }}",
                (0..n).fold(String::new(), |mut all, i| {
                    write!(all, "$v{i}: Int ").unwrap();
                    all
                })
            ),
        );
        add(
            "operations",
            (0..n).fold(String::new(), |mut all, i| {
                write!(all, "query q{i} {{ services {{ id }} }} ").unwrap();
                all
            }),
        );
        add(
            "fragments",
            (0..n).fold("{ ...f0 } ".to_owned(), |mut all, i| {
                write!(all, "fragment f{i} on Query {{ ...f{} }} ", i + 1).unwrap();
                all
            }),
        );
        add(
            "list as a literal",
            format!(
                "{{ services(filter: {{ search: [{}] }}) {{ id }} }}",
                "1,".repeat(n)
            ),
        );
        add(
            "nested lists",
            format!(
                "{{ services(filter: {}1{}) {{ id }} }}",
                "[".repeat(n),
                "]".repeat(n)
            ),
        );
        add(
            "nested objects",
            format!(
                "{{ services(filter: {}1{}) {{ id }} }}",
                "{a:".repeat(n),
                "}".repeat(n)
            ),
        );
        add("parentheses", format!("{{ services{}", "(".repeat(n)));
        add(
            "type brackets",
            format!(
                "query($v: {}Int{}) {{ services {{ id }} }}",
                "[".repeat(n),
                "]".repeat(n)
            ),
        );
        add(
            "introspection aliases",
            format!(
                "{{ {} }}",
                aliases.replace("services { id }", "__schema { types { name } }")
            ),
        );
    }
    // Strings that end elsewhere than they seem to, nested deeply enough to overflow a parser's stack.
    for n in [60, 300, 20_000] {
        let deep = format!("{}1{}", "{a:".repeat(n), "}".repeat(n));
        add(
            "nesting behind a block text without an end",
            format!("{{me{{id(x:[\"\"\"abc\" {deep}])}}}}"),
        );
        add(
            "nesting behind a backslash",
            format!("{{me{{id(x:\"\"\"\\\\\"\"\"y\"\"\" z:{deep})}}}}"),
        );
        add(
            "nesting behind a text of two lines",
            format!("{{me{{id(x:[\"a\n\" {deep}])}}}}"),
        );
    }
    add(
        "a long text",
        format!(
            "{{ services(filter: {{ search: \"{}\" }}) {{ id }} }}",
            "x".repeat(1_100_000)
        ),
    );
    for n in [4, 8, 20, 40, 60, 99] {
        let doubling = (0..n).fold("{ ...f0 } ".to_owned(), |mut all, i| {
            let next = i + 1;
            write!(all, "fragment f{i} on Query {{ ...f{next} ...f{next} }} ").unwrap();
            all
        });
        add(
            "fragments that double",
            format!(
                "{doubling} fragment f{n} on Query {{ {} }}",
                "services { id } ".repeat(6)
            ),
        );
        add(
            "fragments in a circle",
            format!("{doubling} fragment f{n} on Query {{ ...f0 }}"),
        );
        let deep = (0..n).fold("{ services { ...f0 } } ".to_owned(), |mut all, i| {
            write!(
                all,
                "fragment f{i} on Service {{ openIncident {{ service {{ ...f{} }} }} }} ",
                i + 1
            )
            .unwrap();
            all
        });
        add(
            "depth by fragments",
            format!(
                "{deep} fragment f{n} on Service {{ openIncident {{ service {{ {}id{} }} }} }}",
                "openIncident { service { ".repeat(5),
                " } }".repeat(5)
            ),
        );
    }
    add("circle", "{ ...a } fragment a on Query { ...a }".into());
    add(
        "circle of two",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".into(),
    );
    add(
        "circle inside",
        "{ services { ...a } } fragment a on Service { openIncident { service { ...a } } }".into(),
    );
    add(
        "unused circle",
        "{ me { id } } fragment a on Query { ...a }".into(),
    );
    add(
        "costly",
        "{ services { checks(first: 500) { edges { node { slot status } } } } }".into(),
    );
    add(
        "costly by nesting",
        "{ incidents(first: 500) { edges { node { service { incidents(first: 500) { edges { node { id } } } } } } } }"
            .into(),
    );
    add(
        "costly by variables",
        "query($n: Int = 500) { services { checks(first: $n) { edges { node { slot status } } } } }".into(),
    );
    for step in [
        "fields { type",
        "interfaces",
        "possibleTypes",
        "inputFields { type",
    ] {
        let close = if step.contains('{') { "} }" } else { "}" };
        let bomb = |n: usize| {
            format!(
                "{{ __schema {{ types {{ {} name {} }} }} }}",
                format!("{step} {{ ").repeat(n),
                close.repeat(n)
            )
        };
        add("introspection bomb", bomb(2));
        add("introspection bomb", bomb(6));
    }
    add(
        "introspection twice",
        "{ __schema { types { name } types { fields { name } } } }".into(),
    );
    add(
        "two introspections",
        "{ a: __schema { types { name } } b: __schema { types { name } } }".into(),
    );
    add(
        "ofType",
        format!(
            "{{ __schema {{ types {{ {} name {} }} }} }}",
            "ofType { ".repeat(30),
            "}".repeat(30)
        ),
    );
    add(
        "two subscriptions",
        "subscription { a: incidentUpdates { id } b: incidentUpdates { id } }".into(),
    );
    add(
        "a subscription as a query",
        "subscription { incidentUpdates { id } }".into(),
    );
    for (what, document) in [
        ("empty", ""),
        ("blank", "   \n"),
        ("comment", "# nothing"),
        ("nonsense", "{{{{"),
        ("not closed", "{ me { id }"),
        (
            "text not closed",
            "{ services(filter: { search: \"abc }) { id } }",
        ),
        ("nul", "{ \u{0} }"),
        ("bom", "\u{feff}{"),
        (
            "block text not closed",
            "{ services(filter: { search: \"\"\"abc }) { id } }",
        ),
        ("escape", "{ a(b: \"\\u00\") }"),
        ("no fields", "{ services }"),
        ("empty selection", "{ services { } }"),
        ("fields of a scalar", "{ me { id { x } } }"),
        ("unknown type", "{ ...on Nothing { id } }"),
        ("impossible fragment", "{ services { ...on User { id } } }"),
        ("unknown fragment", "{ ...nothing }"),
        ("undefined variable", "{ service(id: $id) { id } }"),
        ("unused variable", "query($id: UUID!) { me { id } }"),
        ("variable of no type", "query($v: Nothing) { me { id } }"),
        ("wrong id", "{ service(id: \"1\") { id } }"),
        ("number as id", "{ service(id: 1) { id } }"),
        ("null as id", "{ service(id: null) { id } }"),
        ("no id", "{ service { id } }"),
        ("object as id", "{ service(id: {a: 1}) { id } }"),
        ("unknown argument", "{ service(id: \"x\", nr: 1) { id } }"),
        (
            "unknown enum",
            "{ services(filter: { status: SIDEWAYS }) { id } }",
        ),
        (
            "enum as text",
            "{ services(filter: { status: \"SIDEWAYS\" }) { id } }",
        ),
        (
            "wrong time",
            "{ incidents(filter: { from: \"yesterday\" }) { totalCount } }",
        ),
        (
            "time too late",
            "{ incidents(filter: { from: \"+262142-12-31T23:59:59Z\" }) { totalCount } }",
        ),
        (
            "time too early",
            "{ incidents(filter: { to: \"-262142-01-01T00:00:00Z\" }) { totalCount } }",
        ),
        (
            "from after to",
            "{ incidents(filter: { from: \"2026-01-02T00:00:00Z\", to: \"2026-01-01T00:00:00Z\" }) { totalCount } }",
        ),
        ("page of none", "{ incidents(first: 0) { totalCount } }"),
        ("page too long", "{ incidents(first: 501) { totalCount } }"),
        ("page backwards", "{ incidents(first: -1) { totalCount } }"),
        (
            "page beyond numbers",
            "{ incidents(first: 99999999999) { totalCount } }",
        ),
        (
            "page of a fraction",
            "{ incidents(first: 1.5) { totalCount } }",
        ),
        ("wrong cursor", "{ incidents(after: \"x\") { totalCount } }"),
        ("no days", "{ services { uptimeDays(days: 0) { date } } }"),
        ("unknown operation", "mutation { dropTables }"),
        ("two anonymous", "{ me { id } } { me { id } }"),
        (
            "two of a name",
            "query a { me { id } } query a { me { id } }",
        ),
        ("no operation", "fragment a on Query { me { id } }"),
        ("which one", "query a { me { id } } query b { me { id } }"),
        ("conflict", "{ me { x: id x: name } }"),
        ("type system", "type Query { a: Int }"),
        ("typename of a subscription", "subscription { __typename }"),
    ] {
        add(what, document.to_owned());
    }
    all
}
