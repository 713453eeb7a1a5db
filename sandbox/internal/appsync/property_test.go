package appsync

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// privateSchema has items that lead to one another, by all kinds of relations and indexes. Each %s
// stands for rules: those of a model, and those of its secret.
const privateSchema = `
type Folder @model %s {
  secret: String %s
  name: String @index(name: "byName", queryField: "foldersByName", sortKeyFields: ["rank", "label"])
  rank: Int
  label: String
  pages: [Page] @hasMany(references: ["folderId"])
  cover: Cover @hasOne(references: ["folderId"])
  writer: String editors: [String] team: String teams: [String]
}
type Page @model %s {
  secret: String %s
  name: String @index(queryField: "pagesByName")
  folderId: ID
  folder: Folder @belongsTo(references: ["folderId"])
  remarks: [Remark] @hasMany(references: ["pageId"], limit: 1)
  writer: String editors: [String] team: String teams: [String]
}
type Cover @model %s {
  secret: String %s
  name: String
  folderId: ID
  folder: Folder @belongsTo(references: ["folderId"])
  writer: String editors: [String] team: String teams: [String]
}
type Remark @model %s {
  secret: String %s
  name: String
  pageId: ID
  page: Page @belongsTo(references: ["pageId"])
  writer: String editors: [String] team: String teams: [String]
}
`

var privateModels = []string{"Folder", "Page", "Cover", "Remark"}

// plainRule is a rule as its documentation tells it, apart from how package schema reads rules. All
// of them let somebody read.
type plainRule struct {
	text    string
	matches func(user string, teams []string, item secretItem) bool
	writes  []string // of create, update and delete
}

// plainRules are those that schemas draw from. The user "" has the API key.
var plainRules = []plainRule{
	{text: "allow: public", matches: func(user string, _ []string, _ secretItem) bool {
		return user == ""
	}},
	{text: "allow: private", matches: func(user string, _ []string, _ secretItem) bool {
		return user != ""
	}},
	{text: "allow: owner", matches: func(user string, _ []string, item secretItem) bool {
		return user != "" && item.owner == user
	}},
	{text: `allow: owner, ownerField: "writer"`,
		matches: func(user string, _ []string, item secretItem) bool {
			return user != "" && item.writer == user
		}},
	{text: `allow: owner, ownerField: "editors"`,
		matches: func(user string, _ []string, item secretItem) bool {
			return user != "" && slices.Contains(item.editors, user)
		}},
	{text: `allow: groups, groups: ["red"]`,
		matches: func(_ string, teams []string, _ secretItem) bool {
			return slices.Contains(teams, "red")
		}},
	{text: `allow: groups, groupsField: "team"`,
		matches: func(_ string, teams []string, item secretItem) bool {
			return slices.Contains(teams, item.team)
		}},
	{text: `allow: groups, groupsField: "teams"`,
		matches: func(_ string, teams []string, item secretItem) bool {
			return slices.ContainsFunc(item.teams, func(t string) bool {
				return slices.Contains(teams, t)
			})
		}},
}

// isOwner reports whether the rule fills in the owner of new items.
func (r plainRule) isOwner() bool { return r.text == "allow: owner" }

// privateRules are the rules of a model and, if they are others, of its secret.
type privateRules struct{ model, secret []plainRule }

// drawRules draws rules, and returns them as a schema has them.
func (w *walk) drawRules(most int) (rules []plainRule, auth string) {
	var texts []string
	for _, n := range w.r.Perm(len(plainRules))[:1+w.r.IntN(most)] {
		rule := plainRules[n]
		for _, operation := range []string{"create", "update", "delete"} {
			if w.r.IntN(4) > 0 {
				rule.writes = append(rule.writes, operation)
			}
		}
		rules = append(rules, rule)
		texts = append(texts, fmt.Sprintf("{%s, operations: [%s]}", rule.text,
			strings.Join(append([]string{"read"}, rule.writes...), ", ")))
	}
	return rules, "@auth(rules: [" + strings.Join(texts, ", ") + "])"
}

// drawSchema draws the rules of privateSchema, and returns its text.
func (w *walk) drawSchema() string {
	w.rules = map[string]privateRules{}
	var texts []any
	for _, model := range privateModels {
		var of privateRules
		var auth, secretAuth string
		of.model, auth = w.drawRules(3)
		if w.r.IntN(3) == 0 {
			of.secret, secretAuth = w.drawRules(2)
		}
		w.rules[model] = of
		texts = append(texts, auth, secretAuth)
	}
	return fmt.Sprintf(privateSchema, texts...)
}

// secretItem is what the test itself knows of an item.
type secretItem struct {
	model, id, secret   string
	owner, writer, team string
	editors, teams      []string
}

// maySee is the model of the rules: who may read the secret of an item.
func (w *walk) maySee(user string, item secretItem) bool {
	rules := w.rules[item.model].secret
	if rules == nil {
		rules = w.rules[item.model].model
	}
	return slices.ContainsFunc(rules, func(r plainRule) bool {
		return r.matches(user, w.teams[user], item)
	})
}

// mayWrite reports whether some rule lets a user create, update or delete an item, or parts of it.
func (w *walk) mayWrite(user, operation string, item secretItem) bool {
	of := w.rules[item.model]
	return slices.ContainsFunc(slices.Concat(of.model, of.secret), func(r plainRule) bool {
		return slices.Contains(r.writes, operation) && r.matches(user, w.teams[user], item)
	})
}

// walk makes random requests.
type walk struct {
	t      *testing.T
	r      *rand.Rand
	api    *API
	teams  map[string][]string
	rules  map[string]privateRules // by model
	items  []*secretItem
	tokens []string
	count  int
}

func (w *walk) one(list ...string) string { return list[w.r.IntN(len(list))] }

// user returns one of the users, or "" for the API key.
func (w *walk) user() string { return w.one("alice", "bob", "carol", "alice", "bob", "carol", "") }

// item returns one of the items, or one that is not there.
func (w *walk) item(models ...string) *secretItem {
	var fitting []*secretItem
	for _, item := range w.items {
		if slices.Contains(models, item.model) {
			fitting = append(fitting, item)
		}
	}
	if len(fitting) == 0 || w.r.IntN(20) == 0 {
		return &secretItem{model: models[0], id: "none"}
	}
	return fitting[w.r.IntN(len(fitting))]
}

// caller returns a user as the API knows them.
func (w *walk) caller(user string) *Caller {
	if user == "" {
		return &Caller{Identity: schema.Identity{Provider: schema.APIKey}}
	}
	groups := []any{}
	for _, team := range w.teams[user] {
		groups = append(groups, team)
	}
	return &Caller{Identity: schema.Identity{Provider: schema.UserPool, Claims: map[string]any{
		"sub": "sub-" + user, "username": user, "cognito:groups": groups}}}
}

// send sends a document and returns the answer.
func (w *walk) send(user, document string) string {
	w.t.Helper()
	response, err := w.api.execute(w.t.Context(), w.caller(user),
		graphql.Request{Document: document})
	if err != nil {
		w.t.Fatalf("%s: %v", document, err)
	}
	text, err := response.MarshalJSON()
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.Contains(string(text), "Validation error") {
		w.t.Fatalf("%s: %s", document, text)
	}
	return string(text)
}

var (
	secrets = regexp.MustCompile(`secret-\d+`)
	tokens  = regexp.MustCompile(`"nextToken":"([^"]+)"`)
)

// selection returns random fields of a model.
func (w *walk) selection(model string, depth int) string {
	fields := "id secret name writer editors team teams"
	if w.api.cfg.Schema.Model(model).Field("owner") != nil {
		fields += " owner"
	}
	related := map[string][][2]string{
		"Folder": {{"pages", "Page"}, {"cover", "Cover"}}, "Page": {{"folder", "Folder"},
			{"remarks", "Remark"}},
		"Cover": {{"folder", "Folder"}}, "Remark": {{"page", "Page"}}}
	for _, to := range related[model] {
		if depth == 0 || w.r.IntN(3) == 0 {
			continue
		}
		inner := w.selection(to[1], depth-1)
		if to[0] == "pages" || to[0] == "remarks" {
			inner = "items {" + inner + "} nextToken"
			to[0] += w.arguments()
		}
		fields += " " + to[0] + " {" + inner + "}"
	}
	return fields
}

// arguments returns random arguments of a list, in parentheses.
func (w *walk) arguments(more ...string) string {
	if w.r.IntN(2) == 0 {
		more = append(more, fmt.Sprintf("limit: %d", 1+w.r.IntN(4)))
	}
	if w.r.IntN(3) == 0 {
		operator := w.one(`beginsWith: "secret"`, `ne: "x"`, `attributeExists: true`,
			fmt.Sprintf("eq: %q", w.item(privateModels...).secret))
		filter := "{secret: {" + operator + "}}"
		more = append(more, "filter: "+w.one(filter, "{not: {not: "+filter+"}}",
			"{or: ["+filter+", {id: {ne: \"x\"}}]}"))
	}
	if len(w.tokens) > 0 && w.r.IntN(4) == 0 {
		more = append(more, fmt.Sprintf("nextToken: %q", w.tokens[w.r.IntN(len(w.tokens))]))
	}
	if len(more) == 0 {
		return ""
	}
	return "(" + strings.Join(more, ", ") + ")"
}

// read returns a random query.
func (w *walk) read() string {
	model := w.one(privateModels...)
	name := fmt.Sprintf("name: %q", w.one("n1", "n2"))
	list := "{ items {" + w.selection(model, 2) + "} nextToken } }"
	switch n := w.r.IntN(4); {
	case n == 0:
		return fmt.Sprintf("{ get%s(id: %q) {%s} }", model, w.item(model).id, w.selection(model, 3))
	case n == 1 && model == "Folder":
		return "{ foldersByName" + w.arguments(name, w.one("sortDirection: DESC",
			`rankLabel: {ge: {rank: 1}}`, `rankLabel: {beginsWith: {rank: 1}}`)) + list
	case n == 1 && model == "Page":
		return "{ pagesByName" + w.arguments(name) + list
	default:
		return "{ list" + model + "s" + w.arguments() + list
	}
}

// write makes a random change, and notes it if it was made.
func (w *walk) write(user string) string {
	w.count++
	model := w.one(privateModels...)
	changed := secretItem{model: model, id: fmt.Sprint("i", w.count),
		secret: fmt.Sprint("secret-", w.count), writer: w.one(user, w.user()),
		editors: []string{w.user()}, team: w.one("red", "blue", "none"),
		teams: []string{w.one("red", "blue"), "none"}}
	kind, old := "create", (*secretItem)(nil)
	if n := w.r.IntN(3); n > 0 {
		old = w.item(model)
		changed.id, changed.owner = old.id, old.owner
		kind = map[int]string{1: "update", 2: "delete"}[n]
	}
	input := fmt.Sprintf("id: %q", changed.id)
	if kind != "delete" {
		input += fmt.Sprintf(", secret: %q, name: %q, writer: %q, editors: [%q], team: %q, "+
			"teams: [%q, %q]", changed.secret, w.one("n1", "n2"), changed.writer, changed.editors[0],
			changed.team, changed.teams[0], changed.teams[1])
		switch model {
		case "Folder":
			input += fmt.Sprintf(", rank: %d, label: %q", w.r.IntN(3), w.one("x", "y"))
		case "Page", "Cover":
			input += fmt.Sprintf(", folderId: %q", w.item("Folder").id)
		case "Remark":
			input += fmt.Sprintf(", pageId: %q", w.item("Page").id)
		}
	}
	answer := w.send(user, fmt.Sprintf("mutation { %s%s(input: {%s}) {%s} }", kind, model, input,
		w.selection(model, 2)))
	made := !strings.Contains(answer, fmt.Sprintf(`{"data":{"%s%s":null}`, kind, model))
	if kind == "create" && user != "" && slices.ContainsFunc(
		slices.Concat(w.rules[model].model, w.rules[model].secret), func(r plainRule) bool {
			return r.isOwner() && slices.Contains(r.writes, "create")
		}) {
		changed.owner = user
	}
	of := changed
	if old != nil {
		of = *old
	}
	if made && !w.mayWrite(user, kind, of) {
		w.t.Errorf("%q may %s %+v: %s", user, kind, of, answer)
	}
	if made {
		answer = strings.ReplaceAll(answer, changed.secret, "") // which the caller knows
		w.items = slices.DeleteFunc(w.items, func(i *secretItem) bool { return i == old })
		if kind != "delete" {
			w.items = append(w.items, &changed)
		}
		if old != nil && kind == "delete" && w.maySee(user, *old) { // the answer shows it
			answer = strings.ReplaceAll(answer, old.secret, "")
		}
	}
	return answer
}

// startWalk starts an API of a random schema for random requests.
func startWalk(t *testing.T, seed uint64) *walk {
	t.Helper()
	w := &walk{t: t, r: rand.New(rand.NewPCG(seed, 1)),
		teams: map[string][]string{"bob": {"red"}, "carol": {"red", "blue"}}}
	text := w.drawSchema()
	modes := []schema.Provider{schema.UserPool, schema.APIKey}
	s, err := schema.Read("private.graphql", text,
		schema.Options{Default: modes[0], Additional: modes[1:]})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	db, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.api, err = New(t.Context(), Config{Schema: s, Modes: modes, Store: db, Clock: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(text)
		}
	})
	return w
}

// privateSeeds are how many schemas are drawn.
const privateSeeds = 16

// TestPrivacy: whatever the rules are, and whatever callers ask for, by any operation, relation,
// index, filter or page token, nobody gets to see what the rules hide, in no error either.
func TestPrivacy(t *testing.T) {
	seen, tokensSeen := 0, 0
	for seed := range uint64(privateSeeds) {
		passed := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := startWalk(t, seed)
			for i := range 400 {
				user := w.user()
				var document, answer string
				if i < 60 || w.r.IntN(4) == 0 {
					answer = w.write(user)
				} else {
					document = w.read()
					answer = w.send(user, document)
				}
				for _, found := range secrets.FindAllString(answer, -1) {
					seen++
					at := slices.IndexFunc(w.items,
						func(item *secretItem) bool { return item.secret == found })
					if at < 0 {
						t.Fatalf("%q sees %s, which is nobody's: %s %s", user, found, document, answer)
					}
					if !w.maySee(user, *w.items[at]) {
						t.Fatalf("%q sees %+v: %s %s", user, *w.items[at], document, answer)
					}
				}
				for _, found := range tokens.FindAllStringSubmatch(answer, -1) {
					w.tokens = append(w.tokens, found[1])
				}
			}
			tokensSeen += len(w.tokens)
		})
		if !passed {
			return
		}
	}
	if seen < 100*privateSeeds || tokensSeen < 10*privateSeeds {
		t.Errorf("only %d secrets and %d page tokens were seen: the walk tests little", seen, tokensSeen)
	}
	t.Logf("%d schemas, %d secrets seen by those who may, %d page tokens", privateSeeds, seen,
		tokensSeen)
}
