package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestReadFaults: what the sandbox would not enforce or cannot serve is a fault with its line.
func TestReadFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no GraphQL", "type {", `model.graphql:1: `},
		{
			"an unknown directive on a type", "type Note @model @locked {\n id: ID! }",
			`model.graphql:1: Undefined directive locked.`,
		},
		{
			"an unknown directive on a field", "type Note @model {\n text: String @secret }",
			`model.graphql:2: Undefined directive secret.`,
		},
		{
			"an unknown argument", `type Note @model(table: "x") { id: ID! }`,
			`model.graphql:1: Undefined argument table for directive model.`,
		},
		{
			"an unknown type", "type Note @model {\n text: Text }",
			`model.graphql:2: Undefined type Text.`,
		},
		{
			"an unknown strategy",
			"type Note @model @auth(rules: [\n{allow: neighbours}]) { id: ID! }",
			`model.graphql:2: the rule has the unknown strategy allow: "neighbours"`,
		},
		{
			"an unknown member of a rule",
			"type Note @model @auth(rules: [{allow: public, between: \"9-5\"}]) { id: ID! }",
			`model.graphql:1: the rule has the unknown member "between"`,
		},
		{
			"an unknown operation",
			"type Note @model @auth(rules: [{allow: public, operations: [peek]}]) { id: ID! }",
			`model.graphql:1: the rule has the unknown operation "peek"`,
		},
		{
			"an unknown provider",
			"type Note @model @auth(rules: [{allow: public, provider: passport}]) { id: ID! }",
			`model.graphql:1: a rule with allow: public does not take provider: "passport"`,
		},
		{
			"a provider that does not suit the strategy",
			"type Note @model @auth(rules: [{allow: owner, provider: apiKey}]) { id: ID! }",
			`model.graphql:1: a rule with allow: owner does not take provider: "apiKey"`,
		},
		{
			"a mode that the API lacks",
			"type Note @model @auth(rules: [{allow: owner, provider: oidc}]) { id: ID! }",
			`model.graphql:1: the rule has provider: oidc, but the API does not have that mode`,
		},
		{
			"no rules", "type Note @model @auth(rules: []) { id: ID! }", `model.graphql:1: @auth has no rules`,
		},
		{
			"groups without groups",
			"type Note @model @auth(rules: [{allow: groups}]) { id: ID! }",
			`model.graphql:1: a rule with allow: groups needs groups or groupsField`,
		},
		{
			"an empty list of groups",
			"type Note @model @auth(rules: [{allow: groups, groups: []}]) { id: ID! }",
			`model.graphql:1: the rule has an empty list of groups`,
		},
		{
			"static and dynamic groups",
			`type Note @model @auth(rules: [{allow: groups, groups: ["a"], groupsField: "b"}]) { b: String }`,
			`model.graphql:1: the rule has groups and groupsField`,
		},
		{
			"two rules for the same callers",
			"type Note @model @auth(rules: [{allow: private}, {allow: private, operations: [read]}]) { id: ID! }",
			`model.graphql:1: the model Note has two rules for the same callers`,
		},
		{
			"read beside get",
			"type Note @model @auth(rules: [{allow: private, operations: [read, get]}]) { id: ID! }",
			`model.graphql:1: the rule has "get" beside "read"`,
		},
		{
			"get on a field",
			"type Note @model { text: String\n @auth(rules: [{allow: private, operations: [get]}]) }",
			`model.graphql:2: the operation "get" is not allowed in a rule of a field`,
		},
		{
			"a required field that some may not read",
			"type Note @model @auth(rules: [{allow: public}]) { id: ID!\n" +
				" text: String! @auth(rules: [{allow: private}]) }",
			`model.graphql:2: Note.text is required, but some who may read Note may not read it`,
		},
		{
			"rules on a type that is no model",
			"type Note @auth(rules: [{allow: public}]) { id: ID! }",
			`model.graphql:1: @auth on the type Note needs @model beside it`,
		},
		{
			"operations in a rule outside of models",
			"type Query { echo: String @auth(rules: [{allow: private, operations: [read]}]) }",
			`model.graphql:1: a rule outside of models has no operations`,
		},
		{
			"an unknown validation",
			`type Note @model { text: String @validate(type: polite, value: "5") }`,
			`model.graphql:1: @validate has the unknown type "polite"`,
		},
		{
			"a validation of another type",
			`type Note @model { text: String @validate(type: gt, value: "5") }`,
			`model.graphql:1: @validate(type: gt) does not suit Note.text of the type String`,
		},
		{
			"a validation that stands twice",
			`type Note @model { text: String
				@validate(type: endsWith, value: "a") @validate(type: endsWith, value: "b") }`,
			`model.graphql:2: @validate(type: endsWith) stands twice on Note.text`,
		},
		{
			"a pattern that cannot be checked",
			`type Note @model { text: String @validate(type: matches, value: "(?=a)") }`,
			`model.graphql:1: @validate(type: matches): the sandbox cannot check "(?=a)"`,
		},
		{
			"a length that is no number",
			`type Note @model { text: String @validate(type: minLength, value: "-1") }`,
			`model.graphql:1: @validate(type: minLength): the sandbox cannot check "-1"`,
		},
		{
			"version 1 of the transformer", `type Note @model @key(fields: ["id"]) { id: ID! }`,
			`model.graphql:1: @key on Note: it belongs to version 1 of Amplify's transformer`,
		},
		{
			"an index of a field that does not exist",
			`type Note @model { text: String @index(sortKeyFields: ["gone"]) }`,
			`model.graphql:1: @index: Note.gone is no field of a scalar or enum type`,
		},
		{
			"an optional primary key", "type Note @model { key: String @primaryKey }",
			`model.graphql:1: the field Note.key of the primary key must be required`,
		},
		{
			"two queries with one name",
			`type Note @model { a: ID @index(queryField: "notes") b: ID @index(queryField: "notes") }`,
			`model.graphql:1: there are two operations with the name Query.notes`,
		},
		{
			"a relation to no model",
			`type Note @model { tag: Tag @hasOne } type Tag { id: ID! }`,
			`model.graphql:1: @hasOne: the type Tag needs @model`,
		},
		{
			"a model without a relation",
			`type Note @model { tag: Tag } type Tag @model { id: ID! }`,
			`model.graphql:1: Note.tag leads to the model Tag, but has no relation`,
		},
		{
			"a has-many that is no list",
			`type Note @model { tags: Tag @hasMany } type Tag @model { id: ID! }`,
			`model.graphql:1: @hasMany: Note.tags has the type Tag`,
		},
		{
			"references without the way back",
			`type Note @model { tags: [Tag] @hasMany(references: ["noteId"]) } type Tag @model { noteId: ID }`,
			`model.graphql:1: @hasMany: Tag needs a field with @belongsTo and the same references`,
		},
		{
			"a many-to-many with one side",
			`type Note @model { tags: [Tag] @manyToMany(relationName: "NoteTags") } type Tag @model { id: ID! }`,
			`model.graphql:1: @manyToMany with the relationName "NoteTags" must stand in two places, not 1`,
		},
		{
			"a default that is no value of the enum",
			`type Note @model { level: Level @default(value: "LOW") } enum Level { HIGH }`,
			`model.graphql:1: the default "LOW" is no Level: the enum does not have it`,
		},
		{
			"a default that is no number", `type Note @model { n: Int @default(value: "one") }`,
			`model.graphql:1: the default "one" is no Int`,
		},
		{
			"a default that is no date", `type Note @model { on: AWSDate @default(value: "2023-02-29") }`,
			`model.graphql:1: the default "2023-02-29" is no AWSDate`,
		},
		{
			"an unknown member of @model", "type Note @model(mutations: {udpate: null}) { id: ID! }",
			`model.graphql:1: @model has the unknown member "udpate"`,
		},
		{
			"an unknown member of @index",
			"type Note @model { a: ID @index(projection: {tpye: KEYS_ONLY}) }",
			`model.graphql:1: @index has the unknown member "tpye"`,
		},
		{
			"no object", "type Note @model(queries: 1) { id: ID! }",
			`model.graphql:1: @model has 1 where an object belongs`,
		},
		{
			"an unknown level of subscriptions",
			"type Note @model(subscriptions: {level: loud}) { id: ID! }",
			`model.graphql:1: the model has the unknown level of subscriptions "loud"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("model.graphql", c.text, allModes)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v\nit lacks    %s", err, c.want)
			}
		})
	}
}

// TestReadTellsAllFaults: the faults of one step come together.
func TestReadTellsAllFaults(t *testing.T) {
	_, err := Read("model.graphql", `
		type A @model @auth(rules: [{allow: nobody}]) { id: ID! }
		type B @model @auth(rules: [{allow: somebody}]) { id: ID! }`, allModes)
	if err == nil || !strings.Contains(err.Error(), "graphql:2:") || !strings.Contains(err.Error(), "graphql:3:") {
		t.Errorf("the error does not tell both faults: %v", err)
	}
}

// TestRelationsOfMutations: answers of mutations leave out a relation if some who subscribe may not
// see the related item. Where AWS shows it, a warning says so.
func TestRelationsOfMutations(t *testing.T) {
	const (
		public  = "{allow: public}"
		private = "{allow: private}"
		owner   = "{allow: owner}"
		author  = `{allow: owner, ownerField: "author"}`
		admins  = `{allow: groups, groups: ["admins"]}`
		editors = `{allow: groups, groups: ["editors"]}`
		read    = "{allow: public, operations: [read]}"
	)
	for name, tt := range map[string]struct {
		post, comment   string
		leftOut, warned bool
	}{
		"public":                    {public, public, false, false},
		"signed in":                 {private, private, false, false},
		"a group":                   {admins, admins, false, false},
		"public, and the owner":     {public, owner, false, false}, // no caller is both
		"owners":                    {owner, owner, true, false},
		"owners and a group":        {owner + admins, owner + admins, true, false},
		"all read, owners write":    {read + owner, read + owner, true, false},
		"the owner, and signed in":  {owner, private, true, false},
		"owners of other fields":    {owner, author, true, true},
		"the owner, and a group":    {owner, admins, true, true},
		"two groups":                {admins, editors, true, true},
		"other owners, and a group": {owner + admins, author + admins, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read("s.graphql", fmt.Sprintf(`
type Post @model @auth(rules: [%s]) {
  comments: [Comment] @hasMany(references: ["postId"])
}
type Comment @model @auth(rules: [%s]) {
  postId: ID
  author: String
  post: Post @belongsTo(references: ["postId"])
}`, tt.post, tt.comment), Options{Default: UserPool, Additional: []Provider{APIKey}})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, f := range []struct{ model, name, related string }{
				{"Post", "comments", "Comment"}, {"Comment", "post", "Post"},
			} {
				if got := s.Model(f.model).Field(f.name).Redacted(); got != tt.leftOut {
					t.Errorf("%s.%s is left out: %v", f.model, f.name, got)
				}
				if tt.warned {
					want = append(want, fmt.Sprintf("answers of mutations leave out %s.%s, "+
						"because %s has other rules; AWS would show it to all subscribers: "+
						"read it by a query",
						f.model, f.name, f.related))
				}
			}
			for i := range s.Warnings {
				_, s.Warnings[i], _ = strings.Cut(s.Warnings[i], ": ")
			}
			if d := cmp.Diff(want, s.Warnings); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestReadWarnings: what the sandbox leaves out without being more lenient is told.
func TestReadWarnings(t *testing.T) {
	s, err := Read("model.graphql", `
		type Note @model @searchable @auth(rules: [{allow: public}]) { id: ID! }
		type Tag @model { id: ID! }
		type Query {
			rate: Float @http(url: "https://example.com") @auth(rules: [{allow: owner}, {allow: public}])
		}`, allModes)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"model.graphql:2: @searchable on Note: the API of the sandbox has no search queries",
		"model.graphql:5: @http on Query.rate: the sandbox makes no HTTP request for it; " +
			"register a handler in Go",
		"model.graphql:3: the model Tag has no rules: nobody may use it " +
			"but IAM principals outside of the identity pool",
		"model.graphql:5: the rule with allow: owner lets nobody in, because there is no item",
	}
	if d := cmp.Diff(want, s.Warnings); d != "" {
		t.Errorf("the warnings differ (-want +got):\n%s", d)
	}
}

// TestReadGen1 reads what only schemas of Gen 1 have.
func TestReadGen1(t *testing.T) {
	const text = `
		input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }
		type Note @model { id: ID! text: String }
		type Diary @model @auth(rules: [{allow: owner}]) { text: String }
		type AuthProvider { name: String }`
	s, err := Read("schema.graphql", text, Options{Additional: []Provider{UserPool, IAM}, Gen1: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.API.Types["AMPLIFY"] != nil {
		t.Error("the deployed schema has the settings of the annotated one")
	}
	list := s.Operation(ast.Query, "listNotes")
	if _, err := s.AllowRead(Identity{Provider: APIKey}, list, nil); err != nil {
		t.Errorf("globalAuthRule does not let the API key in: %v", err)
	}
	if _, err := s.AllowRead(Identity{Provider: IAM, IAM: Admin}, list, nil); err == nil {
		t.Error("IAM principals in general have access in Gen 1")
	}
	if _, err := s.AllowRead(Identity{Provider: APIKey}, s.Operation(ast.Query, "listDiaries"), nil); err == nil {
		t.Error("globalAuthRule opens a model that has rules")
	}
}

// TestGlobalRuleOfGen1 has no effect in Gen 2.
func TestGlobalRuleOfGen1(t *testing.T) {
	s, err := Read("model.graphql", `
		input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }
		type Note @model { text: String }`, allModes)
	if err != nil {
		t.Fatal(err)
	}
	list := s.Operation(ast.Query, "listNotes")
	if _, err := s.AllowRead(Identity{Provider: APIKey}, list, nil); err == nil {
		t.Error("globalAuthRule lets the API key in")
	}
	if len(s.Warnings) == 0 || s.Warnings[0] != "model.graphql:2: globalAuthRule has no effect in Gen 2" {
		t.Errorf("the warnings are %q", s.Warnings)
	}
}

// TestReadModel looks at what the executor works with.
func TestReadModel(t *testing.T) {
	c := load(t, "c")
	post, remark, audit := c.Model("Post"), c.Model("Remark"), c.Model("Audit")
	for _, one := range []struct {
		model, field string
		want         Relation
	}{
		{"Post", "remarks", Relation{
			Kind: HasMany, Model: remark, Fields: []string{"id"}, References: []string{"postId"},
			Key: remark.Index("byPost"), SortArgument: "rank", Limit: 100,
		}},
		{"Post", "audits", Relation{
			Kind: HasMany, Model: audit, Fields: []string{"id"}, References: []string{"postId"},
			Key: audit.Index("gsi-Post.audits"), Limit: 2,
		}},
		{"Audit", "post", Relation{
			Kind: BelongsTo, Model: post, Fields: []string{"postId"}, References: []string{"id"}, Key: post.Key,
		}},
		{"Post", "cover", Relation{
			Kind: HasOne, Model: c.Model("Cover"), Fields: []string{"id"}, References: []string{"postId"},
			Key: c.Model("Cover").Index("gsi-Post.cover"),
		}},
		{"Post", "labels", Relation{
			Kind: HasMany, Model: c.Model("PostLabels"), Fields: []string{"id"}, References: []string{"postId"},
			Key: c.Model("PostLabels").Index("byPost"), Limit: 100,
		}},
		{"Box", "items", Relation{
			Kind: HasMany, Model: c.Model("BoxItem"), Fields: []string{"id"}, References: []string{"boxItemsId"},
			Key: c.Model("BoxItem").Index("gsi-Box.items"), Limit: 100,
		}},
		{"BoxItem", "box", Relation{
			Kind: BelongsTo, Model: c.Model("Box"), Fields: []string{"boxItemsId"}, References: []string{"id"},
			Key: c.Model("Box").Key,
		}},
		{"Box", "lid", Relation{
			Kind: HasOne, Model: c.Model("Lid"), Fields: []string{"lidId"}, References: []string{"id"},
			Key: c.Model("Lid").Key,
		}},
	} {
		got := c.Model(one.model).Field(one.field).Relation
		if got.Model != one.want.Model || got.Key != one.want.Key || got.Key == nil {
			t.Errorf("%s.%s leads to %s by %v", one.model, one.field, got.Model.Name, got.Key)
		}
		short := *got
		short.Model, short.Key, one.want.Model, one.want.Key = nil, nil, nil, nil
		if d := cmp.Diff(one.want, short); d != "" {
			t.Errorf("%s.%s differs (-want +got):\n%s", one.model, one.field, d)
		}
	}
	if got := c.Model("Order").Index("byClerk"); got.SortArgument() != "shiftDesk" || got.Query != "ordersByClerk" {
		t.Errorf("the index byClerk is %+v", got)
	}
	if m := c.Model("Renamed"); m.CreatedAt != "bornAt" || m.Level != LevelOff ||
		c.Operation(ast.Mutation, "addRenamed").Kind != Create {
		t.Errorf("Renamed is %+v", m)
	}
	if f := c.Model("Preset").Field("grade"); f.Default != "MID" {
		t.Errorf("Preset.grade has the default %v", f.Default)
	}
	if op := load(t, "a").Operation(ast.Subscription, "onAnyWorkshopChange"); op.Kind != Custom ||
		!cmp.Equal(op.Mutations, []string{"createWorkshop", "updateWorkshop"}) {
		t.Errorf("onAnyWorkshopChange is %+v", op)
	}
	for name, want := range map[string]string{
		"Diary": "Diaries", "Box": "Boxes", "Person": "People", "Sheep": "Sheep", "Analysis": "Analyses",
		"PostLabels": "PostLabels", "Child": "Children", "Status": "Statuses", "Hero": "Heroes",
	} {
		if got := plural(name); got != want {
			t.Errorf("the plural of %s is %s, want %s", name, got, want)
		}
	}
}

// TestReadFiles: the files of a schema are one document, and faults name the file of each.
func TestReadFiles(t *testing.T) {
	note := "type Note @model @auth(rules: [{allow: public}]) { text: String kind: Kind }"
	s, err := ReadFiles(map[string]string{"a/kinds.graphql": "enum Kind { A B }",
		"note.graphql": note, "empty.graphql": ""}, allModes)
	if err != nil || s.Model("Note").Field("kind") == nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files map[string]string
		want  []string
	}{
		{map[string]string{"a.graphql": "enum {", "b.graphql": "\n}", "c.graphql": note},
			[]string{"a.graphql:1: ", "b.graphql:2: "}},
		{map[string]string{"a.graphql": "enum Kind { A }", "b.graphql": "\nenum Kind { B }"},
			[]string{"b.graphql:2: "}},
		{map[string]string{"a.graphql": note,
			"b.graphql": "\nenum Kind { A }\ntype Odd @model @auth(rules: [{allow: all}]) { a: Int }"},
			[]string{`b.graphql:3: the rule has the unknown strategy allow: "all"`}},
	} {
		_, err := ReadFiles(c.files, allModes)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: the error is %v; it lacks %q", c.files, err, want)
			}
		}
	}
}
