package realtime

import (
	"fmt"
	"strings"
	"testing"
)

// barrier is an id that no subscription has.
const barrier = "barrier"

// rest returns the data that have come so far: mutations deliver before they answer.
func (c *client) rest() (data []string) {
	c.t.Helper()
	c.send(`{"type": "stop", "id": "` + barrier + `"}`)
	for {
		got := c.receive()
		if strings.Contains(got, `"`+barrier+`"`) {
			return data
		}
		_, payload, found := strings.Cut(got, `"payload":`)
		if !found {
			c.t.Fatal(got)
		}
		data = append(data, strings.TrimSuffix(payload, "}"))
	}
}

// TestDeliveryByRule: who gets what a mutation publishes, for each kind of rule and each caller.
func TestDeliveryByRule(t *testing.T) {
	b := start(t, testSchema, nil)
	callers := map[string]func(data string) headers{
		"key":      func(string) headers { return withKey() },
		"ann":      func(string) headers { return named(t, "ann", "g1") },
		"bob":      func(string) headers { return named(t, "bob", "g2") },
		"admin":    func(string) headers { return named(t, "admin", "Admins") },
		"lambda":   func(string) headers { return headers{"host": apiHost, "Authorization": "lambda"} },
		"guest":    func(data string) headers { return b.signed("GUEST", "/graphql", data) },
		"signedIn": func(data string) headers { return b.signed("SIGNEDIN", "/graphql", data) },
	}
	const refused = "refused"
	none := func(but map[string]string) map[string]string {
		want := map[string]string{}
		for name := range callers {
			want[name] = refused
		}
		for name, data := range but {
			want[name] = data
		}
		return want
	}
	for name, tt := range map[string]struct {
		subscription, mutation, by string
		want                       map[string]string
	}{
		"public": {`subscription { onCreateNote { text } }`,
			`mutation { createNote(input: {text: "x", must: "y"}) { text } }`, "key",
			none(map[string]string{"key": `{"data":{"onCreateNote":{"text":"x"}}}`})},
		"owner": {`subscription { onCreateDiary { text owner } }`,
			`mutation { createDiary(input: {text: "x"}) { text owner } }`, "ann",
			none(map[string]string{"ann": `{"data":{"onCreateDiary":{"text":"x","owner":"ann"}}}`, "bob": "", "admin": ""})},
		"owner, by argument": {`subscription { onCreateDiary(owner: "ann") { text } }`,
			`mutation { createDiary(input: {text: "x"}) { text owner } }`, "ann",
			none(map[string]string{"ann": `{"data":{"onCreateDiary":{"text":"x"}}}`})},
		"owner whom the mutation does not select": {`subscription { onCreateDiary { text } }`,
			`mutation { createDiary(input: {text: "x"}) { text } }`, "ann",
			none(map[string]string{"ann": "", "bob": "", "admin": ""})},
		"owner whom a filter names": {`subscription { onCreateDiary(filter: {owner: {eq: "ann"}}) { text } }`,
			`mutation { createDiary(input: {text: "x"}) { text owner } }`, "ann",
			none(map[string]string{"ann": `{"data":{"onCreateDiary":{"text":"x"}}}`, "bob": "", "admin": ""})},
		"owner whom a filter evades": {`subscription { onCreateDiary(filter: {or: [{text: {eq: "x"}}, {text: {ne: "x"}}]}) { text } }`,
			`mutation { createDiary(input: {text: "x"}) { text owner } }`, "ann",
			none(map[string]string{"ann": `{"data":{"onCreateDiary":{"text":"x"}}}`, "bob": "", "admin": ""})},
		"several owners": {`subscription { onCreateBoard { text } }`,
			`mutation { createBoard(input: {text: "x", members: ["ann", "bob"]}) { text members } }`, "ann",
			none(map[string]string{"ann": `{"data":{"onCreateBoard":{"text":"x"}}}`,
				"bob": `{"data":{"onCreateBoard":{"text":"x"}}}`, "admin": ""})},
		"groups": {`subscription { onCreateRoom { text } }`,
			`mutation { createRoom(input: {text: "x", group: "g1"}) { text group } }`, "admin",
			none(map[string]string{"ann": `{"data":{"onCreateRoom":{"text":"x"}}}`, "bob": "",
				"admin": `{"data":{"onCreateRoom":{"text":"x"}}}`})},
		"all modes": {`subscription { onCreateFeed { text } }`,
			`mutation { createFeed(input: {text: "x"}) { text } }`, "key",
			map[string]string{"key": `{"data":{"onCreateFeed":{"text":"x"}}}`, "ann": `{"data":{"onCreateFeed":{"text":"x"}}}`,
				"bob": `{"data":{"onCreateFeed":{"text":"x"}}}`, "admin": `{"data":{"onCreateFeed":{"text":"x"}}}`,
				"lambda": `{"data":{"onCreateFeed":{"text":"x"}}}`, "guest": `{"data":{"onCreateFeed":{"text":"x"}}}`,
				"signedIn": `{"data":{"onCreateFeed":{"text":"x"}}}`}},
		"fields that some may not read": {`subscription { onCreateSecret { text admins hidden } }`,
			`mutation { createSecret(input: {text: "x", hidden: "h", admins: "a"}) { text hidden admins } }`, "admin",
			none(map[string]string{"admin": `{"data":{"onCreateSecret":{"text":"x","admins":null,"hidden":"h"}}}`,
				"ann": `{"data":{"onCreateSecret":{"text":"x","admins":null,"hidden":"h"}}}`,
				"bob": `{"data":{"onCreateSecret":{"text":"x","admins":null,"hidden":"h"}}}`,
				"lambda": `{"data":{"onCreateSecret":{"text":"x","admins":null,"hidden":null}},"errors":[` +
					`{"path":["onCreateSecret","hidden"],"data":null,"errorType":"Unauthorized","errorInfo":null,"locations":[{"line":1,"column":45,"sourceName":null}],"message":"Not Authorized to access hidden on type Secret"}]}`})},
		"a mutation that is refused": {`subscription { onCreateDiary { text } }`,
			`mutation { createDiary(input: {text: "x", owner: "ann"}) { text owner } }`, "bob",
			none(map[string]string{"ann": "", "bob": "", "admin": ""})},
	} {
		t.Run(name, func(t *testing.T) {
			clients := map[string]*client{}
			for caller, authorize := range callers {
				c := b.connect(withKey())
				c.t = t
				data := dataOf(t, tt.subscription)
				got := c.startData("1", data, authorize(data))
				if (tt.want[caller] == refused) != strings.Contains(got, `"errorType":"Unauthorized"`) {
					t.Errorf("%s: %s", caller, got)
				}
				clients[caller] = c
			}
			b.mutate(tt.mutation, callers[tt.by](dataOf(t, tt.mutation)))
			for caller, c := range clients {
				want := tt.want[caller]
				if want == refused {
					want = ""
				}
				if got := strings.Join(c.rest(), "\n"); got != want {
					t.Errorf("%s: %s\nwant %s", caller, got, want)
				}
				_ = c.conn.CloseNow()
			}
		})
	}
}

// TestPayload: a subscriber gets of the mutation's answer what the subscription selects.
func TestPayload(t *testing.T) {
	b := start(t, testSchema, nil)
	const (
		one = `mutation { createNote(input: {id: "1", text: "x", must: "y", n: 3, tags: ["a", "b"], json: "{\"a\":[1,null]}"}) `
		no  = ""
	)
	for name, tt := range map[string]struct{ subscription, mutation, want string }{
		"all that is selected": {`{ onCreateNote { id n tags json __typename } }`, one + `{ id n tags json } }`,
			`{"data":{"onCreateNote":{"id":"1","n":3,"tags":["a","b"],"json":"{\"a\":[1,null]}","__typename":"Note"}}}`},
		"what is not selected": {`{ onCreateNote { id text } }`, one + `{ id } }`,
			`{"data":{"onCreateNote":{"id":"1","text":null}}}`},
		"what must not be null": {`{ onCreateNote { id must } }`, one + `{ id } }`,
			`{"data":{"onCreateNote":null},"errors":[{"path":["onCreateNote","must"],"locations":null,"message":` +
				`"Cannot return null for non-nullable type: 'String' within parent 'Note' (/onCreateNote/must)"}]}`},
		"aliases": {`{ made: onCreateNote { it: text } }`, `mutation { a: createNote(input: {id: "1", text: "x", must: "y"}) { b: text } }`,
			`{"data":{"made":{"it":"x"}}}`},
		"fragments":                           {`{ onCreateNote { ...F } } fragment F on Note { id ... on Note { n } }`, one + `{ ...G } } fragment G on Note { id n }`, `{"data":{"onCreateNote":{"id":"1","n":3}}}`},
		"a filter that matches":               {`{ onCreateNote(filter: {n: {ge: 3}, tags: {contains: "a"}}) { id } }`, one + `{ id n tags } }`, `{"data":{"onCreateNote":{"id":"1"}}}`},
		"a filter that does not match":        {`{ onCreateNote(filter: {n: {gt: 3}}) { id } }`, one + `{ id n } }`, no},
		"a filter by what is not selected":    {`{ onCreateNote(filter: {n: {ne: 4}}) { id } }`, one + `{ id } }`, no},
		"an empty filter":                     {`{ onCreateNote(filter: {}) { id } }`, one + `{ id } }`, `{"data":{"onCreateNote":{"id":"1"}}}`},
		"an argument that matches":            {`{ both(text: "x") { id } }`, one + `{ id text } }`, `{"data":{"both":{"id":"1"}}}`},
		"an argument that does not match":     {`{ both(text: "z") { id } }`, one + `{ id text } }`, no},
		"an argument that is not selected":    {`{ both(text: "x") { id } }`, one + `{ id } }`, no},
		"a null as argument":                  {`{ both(text: null) { id } }`, one + `{ id text } }`, no},
		"a null as argument that matches":     {`{ both(text: null) { id } }`, `mutation { createNote(input: {id: "1", must: "y"}) { id text } }`, `{"data":{"both":{"id":"1"}}}`},
		"no argument":                         {`{ both { id } }`, one + `{ id } }`, `{"data":{"both":{"id":"1"}}}`},
		"another mutation":                    {`{ onUpdateNote { id } }`, one + `{ id } }`, no},
		"a mutation whose condition is false": {`{ onCreateNote { id } }`, `mutation { createNote(input: {must: "y"}, condition: {text: {eq: "z"}}) { id } }`, no},
		"two mutations": {`{ onCreateNote { id } }`, `mutation { a: createNote(input: {id: "1", must: "y"}) { id } b: createNote(input: {id: "2", must: "y"}) { id } }`,
			`{"data":{"onCreateNote":{"id":"1"}}}` + "\n" + `{"data":{"onCreateNote":{"id":"2"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.connect(withKey())
			c.t = t
			if got := c.start("1", "subscription "+tt.subscription, withKey()); !strings.Contains(got, "start_ack") {
				t.Fatal(got)
			}
			answer := b.mutate(tt.mutation, withKey())
			if got := strings.Join(c.rest(), "\n"); got != tt.want {
				t.Errorf("%s\nwant %s\nthe mutation's answer: %s", got, tt.want, answer)
			}
			_ = c.conn.CloseNow()
			for id := range 2 {
				b.mutate(fmt.Sprintf(`mutation { deleteNote(input: {id: "%d"}) { id } }`, id+1), withKey())
			}
		})
	}
}

// TestUpdateAndDelete: one subscription is to several mutations, and there is one to deletions.
func TestUpdateAndDelete(t *testing.T) {
	b := start(t, testSchema, nil)
	c := b.connect(withKey())
	c.start("both", `subscription { both { text } }`, withKey())
	c.start("gone", `subscription { onDeleteNote { id } }`, withKey())
	b.mutate(`mutation { createNote(input: {id: "1", text: "a", must: "y"}) { text } }`, withKey())
	b.mutate(`mutation { updateNote(input: {id: "1", text: "b"}) { text } }`, withKey())
	b.mutate(`mutation { deleteNote(input: {id: "1"}) { id } }`, withKey())
	want := []string{`{"data":{"both":{"text":"a"}}}`, `{"data":{"both":{"text":"b"}}}`, `{"data":{"onDeleteNote":{"id":"1"}}}`}
	if got := c.rest(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Error(got)
	}
}
