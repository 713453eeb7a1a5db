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

// privateSchema has private items that lead to one another, by all kinds of relations and indexes.
const privateSchema = `
type Folder @model @auth(rules: [{allow: owner}]) {
  secret: String
  name: String @index(name: "byName", queryField: "foldersByName", sortKeyFields: ["rank", "label"])
  rank: Int
  label: String
  pages: [Page] @hasMany(references: ["folderId"])
  cover: Cover @hasOne(references: ["folderId"])
}
type Page @model @auth(rules: [{allow: owner},
    {allow: owner, ownerField: "readers", operations: [read]},
    {allow: groups, groupsField: "team", operations: [read]}]) {
  secret: String
  name: String @index(queryField: "pagesByName")
  readers: [String]
  team: String
  folderId: ID
  folder: Folder @belongsTo(references: ["folderId"])
  remarks: [Remark] @hasMany(references: ["pageId"], limit: 1)
}
type Cover @model @auth(rules: [{allow: owner}]) {
  secret: String
  name: String
  folderId: ID
  folder: Folder @belongsTo(references: ["folderId"])
}
type Remark @model @auth(rules: [{allow: private}, {allow: owner}]) {
  secret: String @auth(rules: [{allow: owner}])
  name: String
  pageId: ID
  page: Page @belongsTo(references: ["pageId"])
}
`

// secretItem is what the test itself knows of an item.
type secretItem struct {
	model, id, owner, secret, team string
	readers                        []string
}

// visible is the model of the rules: who may read the secret of an item.
func (s secretItem) visible(user string, teams []string) bool {
	return s.owner == user ||
		s.model == "Page" && (slices.Contains(s.readers, user) || slices.Contains(teams, s.team))
}

// walk makes random requests.
type walk struct {
	t      *testing.T
	r      *rand.Rand
	api    *API
	teams  map[string][]string
	items  []*secretItem
	tokens []string
	count  int
}

func (w *walk) one(list ...string) string { return list[w.r.IntN(len(list))] }

func (w *walk) user() string { return w.one("alice", "bob", "carol") }

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

// send sends a document and returns the answer.
func (w *walk) send(user, document string) string {
	w.t.Helper()
	groups := []any{}
	for _, team := range w.teams[user] {
		groups = append(groups, team)
	}
	caller := &Caller{Identity: schema.Identity{Provider: schema.UserPool, Claims: map[string]any{
		"sub": "sub-" + user, "username": user, "cognito:groups": groups}}}
	response, err := w.api.execute(w.t.Context(), caller, graphql.Request{Document: document})
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
	fields := "id secret name owner"
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
			fmt.Sprintf("eq: %q", w.item("Folder", "Page", "Cover", "Remark").secret))
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
	model := w.one("Folder", "Page", "Cover", "Remark")
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
	model := w.one("Folder", "Page", "Cover", "Remark")
	changed := secretItem{model: model, id: fmt.Sprint("i", w.count), owner: user,
		secret: fmt.Sprint("secret-", w.count)}
	kind, old := "create", (*secretItem)(nil)
	if n := w.r.IntN(3); n > 0 {
		old = w.item(model)
		changed.id, changed.owner = old.id, old.owner
		kind = map[int]string{1: "update", 2: "delete"}[n]
	}
	input := fmt.Sprintf("id: %q", changed.id)
	if kind != "delete" {
		input += fmt.Sprintf(", secret: %q, name: %q", changed.secret, w.one("n1", "n2"))
		switch model {
		case "Folder":
			input += fmt.Sprintf(", rank: %d, label: %q", w.r.IntN(3), w.one("x", "y"))
		case "Page":
			changed.team, changed.readers = w.one("red", "blue", "none"), []string{w.user()}
			input += fmt.Sprintf(", team: %q, readers: [%q], folderId: %q", changed.team,
				changed.readers[0],
				w.item("Folder").id)
		case "Cover":
			input += fmt.Sprintf(", folderId: %q", w.item("Folder").id)
		case "Remark":
			input += fmt.Sprintf(", pageId: %q", w.item("Page").id)
		}
	}
	answer := w.send(user, fmt.Sprintf("mutation { %s%s(input: {%s}) {%s} }", kind, model, input,
		w.selection(model, 2)))
	made := !strings.Contains(answer, fmt.Sprintf(`{"data":{"%s%s":null}`, kind, model))
	// Everybody may write remarks, but for the secrets in them, and nobody deletes those of others.
	if made && old != nil && old.owner != user {
		w.t.Errorf("%s may %s %s of %s: %s", user, kind, old.id, old.owner, answer)
	}
	if made {
		w.items = slices.DeleteFunc(w.items, func(i *secretItem) bool { return i == old })
		if kind != "delete" {
			w.items = append(w.items, &changed)
		}
		if old != nil && kind == "delete" { // the answer shows what was deleted
			answer = strings.ReplaceAll(answer, old.secret, "")
		}
	}
	return answer
}

// TestPrivacy: whatever callers ask for, by any operation, relation, index, filter or page token,
// nobody gets to see what the rules hide.
func TestPrivacy(t *testing.T) {
	s, err := schema.Read("private.graphql", privateSchema,
		schema.Options{Default: schema.UserPool})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			db, err := store.Open(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w := &walk{t: t, r: rand.New(rand.NewPCG(seed, 1)),
				teams: map[string][]string{"bob": {"red"}, "carol": {"red", "blue"}}}
			w.api, err = New(t.Context(), Config{Schema: s,
				Modes: []schema.Provider{schema.UserPool},
				Store: db, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for i := range 600 {
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
						t.Fatalf("%s sees %s, which is nobody's: %s %s", user, found, document,
							answer)
					}
					if !w.items[at].visible(user, w.teams[user]) {
						t.Fatalf("%s sees %+v: %s %s", user, *w.items[at], document, answer)
					}
				}
				for _, found := range tokens.FindAllStringSubmatch(answer, -1) {
					w.tokens = append(w.tokens, found[1])
				}
			}
			if seen < 300 {
				t.Errorf("only %d secrets were seen: the walk tests little", seen)
			}
			t.Logf("%d items, %d secrets seen by those who may, %d page tokens", len(w.items), seen,
				len(w.tokens))
		})
	}
}
