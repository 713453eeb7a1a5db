package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// memoSchema has a model for all auth modes, and two for owners.
const memoSchema = `
type Memo @model @auth(rules: [{allow: public}, {allow: private},
	{allow: public, provider: iam}, {allow: private, provider: iam},
	{allow: private, provider: oidc}, {allow: custom}]) {
	text: String!
	rank: Int
}
type Note @model @auth(rules: [{allow: owner}]) { text: String }
type Letter @model @auth(rules: [{allow: owner, provider: oidc,
	identityClaim: "sub"}]) { text: String }
type Stamp @aws_oidc @aws_api_key { text: String! by: String }
type Mutation {
	stamp(text: String!, times: Int): Stamp @function(name: "stamp")
		@auth(rules: [{allow: public}, {allow: private, provider: oidc}])
	seal: String @function(name: "seal") @auth(rules: [{allow: private}])
}
`

// memoOutputs are outputs with an API. The sandbox describes the models of memoSchema in them.
func memoOutputs(t testing.TB) []byte {
	t.Helper()
	var o object
	if err := json.Unmarshal([]byte(driveOutputs), &o); err != nil {
		t.Fatal(err)
	}
	delete(o, "storage")
	o["data"] = object{
		"url": "https://memosmemosmemosmemosmemos1.appsync-api.us-east-1" +
			".amazonaws.com/graphql",
		"aws_region": "us-east-1", "api_key": "da2-memosmemosmemosmemosmemos1",
		"default_authorization_type": "API_KEY",
		"authorization_types": []any{"AMAZON_COGNITO_USER_POOLS", "AWS_IAM", "AWS_LAMBDA",
			"OPENID_CONNECT"},
	}
	return []byte(jsonText(o))
}

// oidcIssuer is a provider of OpenID Connect.
type oidcIssuer struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func startOIDC(t testing.TB) *oidcIssuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p := &oidcIssuer{httptest.NewServer(mux), key}
	t.Cleanup(p.Close)
	serve := func(path string, answer any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	serve("/.well-known/openid-configuration", object{"issuer": p.URL, "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}})
	serve("/keys", object{"keys": []any{object{"kty": "RSA", "alg": "RS256", "use": "sig",
		"kid": "k", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes())}}})
	return p
}

// token returns a token of a user of the provider.
func (p *oidcIssuer) token(t testing.TB, sub string) amplify.Secret {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": p.URL, "aud": "client", "sub": sub, "exp": time.Now().Add(time.Hour).Unix(),
	})
	token.Header["kid"] = "k"
	signed, err := token.SignedString(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return amplify.NewSecret(signed)
}

// startMemos starts a sandbox with the API of memoSchema, and a provider whose tokens it takes.
func startMemos(t *testing.T) (*dataServer, *oidcIssuer) {
	t.Helper()
	p := startOIDC(t)
	return startMemosOf(t, p, time.Now), p
}

func startMemosOf(t *testing.T, p *oidcIssuer, clock func() time.Time) *dataServer {
	t.Helper()
	return startData(t, sandbox.Config{Clock: clock, Outputs: memoOutputs(t), Data: sandbox.Data{
		Schema: memoSchema, OIDC: sandbox.OIDCProvider{Issuer: p.URL, ClientID: "client"},
		Functions: map[string]function.Handler{
			"Mutation.stamp": func(_ context.Context, e function.Event) (any, error) {
				return object{"text": e.Arguments["text"], "by": e.Identity.Sub}, nil
			},
			"Mutation.seal": func(context.Context, function.Event) (any, error) {
				return "sealed", nil
			},
		},
	}})
}

// modelOf returns a model that must be there.
func modelOf[T any](t testing.TB, s *dataServer, name string) data.Model[T] {
	t.Helper()
	m, err := data.ModelOf[T](s.runner.App(), name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// must returns v of a call that must not fail.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// all returns the items of a list.
func all[T any](t testing.TB, ctx context.Context, m data.Model[T], in data.ListInput) (items []T) {
	t.Helper()
	for item, err := range m.ListAll(ctx, in) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, *item)
	}
	return items
}

type memo struct {
	ID, Text string
	Rank     *int
}

// Everything that there is to do with an item, by every auth mode.
func TestDataModes(t *testing.T) {
	s, p := startMemos(t)
	memos := modelOf[memo](t, s, "Memo")
	const notMet = "DynamoDB:ConditionalCheckFailedException"
	for name, tt := range map[string]struct {
		user string
		data.Options
	}{
		"default":      {"", data.Options{}},
		"API key":      {"", data.Options{AuthMode: data.AuthAPIKey}},
		"access token": {ada, data.Options{AuthMode: data.AuthUserPool}},
		"ID token":     {ada, data.Options{AuthMode: data.AuthUserPool, IDToken: true}},
		"identity":     {ada, data.Options{AuthMode: data.AuthIdentityPool}},
		"guest":        {"", data.Options{AuthMode: data.AuthIdentityPool}},
		"OIDC":         {"", data.Options{AuthMode: data.AuthOIDC, AuthToken: p.token(t, "o")}},
		"lambda": {"", data.Options{AuthMode: data.AuthLambda,
			AuthToken: amplify.NewSecret(letMeIn)}},
		"none, and a header": {"", data.Options{AuthMode: data.AuthNone,
			Headers: http.Header{"Authorization": {letMeIn}}}},
	} {
		t.Run(name, func(t *testing.T) {
			memos, one := memos.With(tt.Options), 1
			s.as(t, tt.user, func(ctx context.Context) {
				got := func(item *memo,
					err error) *memo {
					t.Helper()
					return must[*memo](t)(item, err)
				}
				made := got(memos.Create(ctx, data.CreateInput{Item: memo{Text: name}}))
				if made.ID == "" || made.Text != name || made.Rank != nil {
					t.Errorf("Create: %+v", made)
				}
				key := data.ID(made.ID)
				if _,
					err := memos.Create(ctx, data.CreateInput{Item: made}); !hasName(err, notMet) {
					t.Errorf("Create for the second time: %v", err)
				}
				if diff := cmp.Diff(made,
					got(memos.Get(ctx, data.GetInput{Key: key}))); diff != "" {
					t.Errorf("Get (-created +got):\n%s", diff)
				}
				change := data.UpdateInput{Item: memo{ID: made.ID, Rank: &one},
					Condition: data.Where("text", data.Eq("another"))}
				if _, err := memos.Update(ctx, change); !hasName(err, notMet) {
					t.Errorf("Update on a condition that is not met: %v", err)
				}
				change.Condition = data.Where("text", data.Eq(name))
				updated := got(memos.Update(ctx, change))
				if diff := cmp.Diff(&memo{made.ID, name, &one}, updated); diff != "" {
					t.Errorf("Update (-want +got):\n%s", diff)
				}
				list := data.ListInput{Filter: data.Where("rank", data.Eq(1))}
				if diff := cmp.Diff([]memo{*updated}, all(t, ctx, memos, list)); diff != "" {
					t.Errorf("ListAll (-want +got):\n%s", diff)
				}
				remove := data.DeleteInput{Key: key,
					Condition: data.Where("rank", data.Exists(false))}
				if _, err := memos.Delete(ctx, remove); !hasName(err, notMet) {
					t.Errorf("Delete on a condition that is not met: %v", err)
				}
				remove.Condition = data.Filter{}
				if diff := cmp.Diff(updated, got(memos.Delete(ctx, remove))); diff != "" {
					t.Errorf("Delete (-want +got):\n%s", diff)
				}
				if _,
					err := memos.Get(ctx, data.GetInput{Key: key}); !errors.Is(err,
					data.ErrNotFound) {
					t.Errorf("Get of a deleted item: %v", err)
				}
			})
		})
	}

	other := startOIDC(t)
	for name, options := range map[string]data.Options{
		"no authorization":      {AuthMode: data.AuthNone},
		"another key":           {APIKey: amplify.NewSecret("da2-another")},
		"a token that is wrong": {AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret("x")},
		"another provider":      {AuthMode: data.AuthOIDC, AuthToken: other.token(t, "o")},
	} {
		t.Run(name, func(t *testing.T) {
			s.as(t, "", func(ctx context.Context) {
				_, err := memos.List(ctx, data.ListInput{Options: options})
				if amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
					t.Errorf("List: %v", err)
				}
			})
		})
	}
}

type note struct{ ID, Text, Owner string }

// What belongs to one user is never another's, however many ask at once.
func TestDataOwners(t *testing.T) {
	s, p := startMemos(t)
	byUser := data.Options{AuthMode: data.AuthUserPool}
	notes := modelOf[note](t, s, "Note").With(byUser)
	const each = 8
	var group sync.WaitGroup
	for i := range each {
		for _, user := range []string{ada, bob} {
			group.Go(func() {
				s.as(t, user, func(ctx context.Context) {
					in := data.CreateInput{Item: note{ID: fmt.Sprint(user, i), Text: user}}
					if _, err := notes.Create(ctx, in); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
	group.Wait()
	for _, user := range []string{ada, bob, eve} {
		for range 4 {
			group.Go(func() {
				s.as(t, user, func(ctx context.Context) {
					// Each page reads one item, and is empty if that is another's.
					found := map[string]bool{}
					for n, err := range notes.ListAll(ctx, data.ListInput{Limit: 1}) {
						if err != nil {
							t.Error(err)
							return
						}
						if found[n.ID] = true; n.Text != user {
							t.Errorf("%s has a note of %s", user, n.Text)
						}
					}
					want := each
					if user == eve {
						want = 0
					}
					if len(found) != want {
						t.Errorf("%s has %d notes", user, len(found))
					}
				})
			})
		}
	}
	group.Wait()
	s.as(t, eve, func(ctx context.Context) {
		for _, err := range notes.ListAll(ctx, data.ListInput{Limit: 1, MaxRead: each}) {
			if !hasName(err, "InvalidDataInput") {
				t.Errorf("more than MaxRead: %v", err)
			}
		}
		id := ada + "0"
		_, got := notes.Get(ctx, data.GetInput{Key: data.ID(id)})
		_, updated := notes.Update(ctx, data.UpdateInput{Item: note{ID: id, Text: "x"}})
		_, deleted := notes.Delete(ctx, data.DeleteInput{Key: data.ID(id)})
		if _,
			err := notes.Create(ctx,
			data.CreateInput{Item: note{Text: "x", Owner: ada}}); err == nil {
			t.Error("a note can be written for another user")
		}
		for name, err := range map[string]error{
			"Get": got, "Update": updated, "Delete": deleted,
		} {
			if !hasName(err,
				"Unauthorized") || amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	s.as(t, ada, func(ctx context.Context) {
		got, err := notes.Get(ctx, data.GetInput{Key: data.ID(ada + "0")})
		if err != nil || got.Text != ada {
			t.Errorf("Get by the owner: %+v, %v", got, err)
		}
	})

	letters := modelOf[note](t, s, "Letter")
	s.as(t, "", func(ctx context.Context) {
		of := func(sub string) data.Options {
			return data.Options{AuthMode: data.AuthOIDC, AuthToken: p.token(t, sub)}
		}
		in := data.CreateInput{Item: note{ID: "l", Text: "for o"}, Options: of("o")}
		if got := must[*note](t)(letters.Create(ctx, in)); got.Owner != "o" {
			t.Errorf("Create: %+v", got)
		}
		key := data.ID("l")
		if _, err := letters.Get(ctx, data.GetInput{Key: key, Options: of("o")}); err != nil {
			t.Errorf("Get by the owner: %v", err)
		}
		_, err := letters.Get(ctx, data.GetInput{Key: key, Options: of("other")})
		if !hasName(err, "Unauthorized") {
			t.Errorf("Get by another user of the provider: %v", err)
		}
	})
}

type grade string

type spot struct {
	X      float64
	Y      *float64
	Labels []string
	Inner  *struct{ Grade grade }
}

// thing has all scalars.
type thing struct {
	ID, Name string
	Count    int
	Ratio    float64
	On       *bool
	Grade    grade
	Grades   []grade
	Tags     []*string
	Nums     []int
	Spot     *spot
	Spots    []spot
	Day      data.Date
	At       time.Time
	Clock    data.TimeOfDay
	Stamp    data.Timestamp
	Extra    data.JSON[map[string]any]
	Mail     string
	Link     string
	Phone    string
	IP       netip.Addr
}

// Values of every type come back as they were sent.
func TestDataScalars(t *testing.T) {
	s := startSchemaC(t, sandbox.Config{})
	things := modelOf[thing](t, s, "Thing")
	yes, no, tag, y := true, false, "a", -0.25
	for _, want := range []thing{
		{ID: "all", Name: "Grüße, 世界 \u2028\"\\\x7f", Count: 1<<31 - 1, Ratio: 1e-7, On: &yes,
			Grade: "MID", Grades: []grade{"LOW", "HIGH"}, Tags: []*string{&tag, nil},
			Nums: []int{1, -2}, Spot: &spot{X: 1.5, Labels: []string{"l"},
				Inner: &struct{ Grade grade }{"HIGH"}}, Spots: []spot{{X: 2}, {X: 3, Y: &y}},
			Day:   data.Date{Year: 2024, Month: time.February, Day: 29, Offset: "+05:30"},
			At:    time.Date(2024, 5, 1, 10, 0, 0, 123e6, time.UTC),
			Clock: data.TimeOfDay{Hour: 9, Minute: 30, Nanosecond: 5e6, Offset: "Z"},
			Stamp: data.Timestamp{Time: time.Unix(1700000000, 0).UTC()},
			Extra: data.JSON[map[string]any]{V: map[string]any{"a": []any{1.0, nil, "<"}}},
			Mail:  "a@example.com", Link: "https://example.com/a?b=1&c", Phone: "+1 415 555 0100",
			IP: netip.MustParseAddr("2001:db8::1")},
		{ID: "zero", Name: "n", On: &no, Count: -1 << 31, IP: netip.MustParseAddr("192.0.2.1"),
			Day:   data.Date{Year: 1, Month: 1, Day: 1},
			Stamp: data.Timestamp{Time: time.Unix(-1, 0).UTC()}},
	} {
		t.Run(want.ID, func(t *testing.T) {
			s.as(t, "", func(ctx context.Context) {
				made, err := things.Create(ctx, data.CreateInput{Item: want})
				if err != nil {
					t.Fatal(err)
				}
				got, err := things.Get(ctx, data.GetInput{Key: data.ID(want.ID)})
				if err != nil {
					t.Fatal(err)
				}
				for name, got := range map[string]*thing{"Create": made, "Get": got} {
					diff := cmp.Diff(&want, got, cmpopts.EquateComparable(netip.Addr{}))
					if diff != "" {
						t.Errorf("%s (-want +got):\n%s", name, diff)
					}
				}
			})
		})
	}
	s.as(t, "", func(ctx context.Context) {
		type given struct {
			ID, Name, Needed string
			Count            int
			Ratio            float64
			On               *bool
			Grade            grade
			Day              data.Date
			Stamp            data.Timestamp
			Extra            data.JSON[map[string]int]
		}
		presets := modelOf[given](t, s, "Preset")
		got := must[*given](t)(presets.Create(ctx,
			data.CreateInput{Item: given{ID: "p", Needed: "n"}}))
		want := &given{"p", "hello", "n", 7, 1.5, &no, "MID",
			data.Date{Year: 2024, Month: 2, Day: 29},
			data.Timestamp{Time: time.Unix(1700000000, 0).UTC()},
			data.JSON[map[string]int]{V: map[string]int{"a": 1}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("default values (-want +got):\n%s", diff)
		}
	})
}

// Filters, indexes and sort keys, as Go programs write them.
func TestDataLists(t *testing.T) {
	s := startSchemaC(t, sandbox.Config{})
	type item struct {
		ID, Name string
		Count    *int
		Tags     []string
		At       time.Time
	}
	type order struct {
		Customer      string
		PlacedOn      data.Date
		No            int
		State, Region string
		Total         int
		Clerk         string
		Shift         data.Date
		Desk          int
	}
	things, orders := modelOf[item](t, s, "Thing"), modelOf[order](t, s, "Order")
	day := func(d int) data.Date { return data.Date{Year: 2024, Month: time.January, Day: d} }
	at := func(h int) time.Time { return time.Date(2024, 1, 1, h, 0, 0, 0, time.UTC) }
	s.as(t, "", func(ctx context.Context) {
		for i := range 6 {
			must[*item](t)(things.Create(ctx, data.CreateInput{Item: item{fmt.Sprint(i),
				strings.Repeat("n", i+1), &i, []string{fmt.Sprint("tag", i)}, at(i)}}))
			must[*order](t)(orders.Create(ctx,
				data.CreateInput{Item: order{"c", day(i/2 + 1), i + 1,
					"open", "eu", 10*i + 1, "k", day(i/2 + 1), i%2 + 1}}))
		}
		must[*item](t)(things.Create(ctx, data.CreateInput{Item: item{ID: "9", Name: "x"}}))

		count := func(c ...data.Condition) data.Filter { return data.Where("count", c...) }
		name := func(c data.Condition) data.Filter { return data.Where("name", c) }
		for text, tt := range map[string]struct {
			filter data.Filter
			want   string
		}{
			"no filter":    {data.Filter{}, "0123459"},
			"eq":           {count(data.Eq(3)), "3"},
			"ne":           {count(data.Ne(3)), "012459"},
			"lt":           {count(data.Lt(3)), "012"},
			"le":           {count(data.Le(3)), "0123"},
			"gt":           {count(data.Gt(3)), "45"},
			"ge":           {data.Where("at", data.Ge(at(4))), "45"},
			"between":      {data.Where("at", data.Between(at(1), at(2))), "12"},
			"begins with":  {name(data.BeginsWith("nnn")), "2345"},
			"contains":     {data.Where("tags", data.Contains("tag2")), "2"},
			"not contains": {name(data.NotContains("nn")), "09"},
			"exists":       {count(data.Exists(true)), "012345"},
			"exists not":   {count(data.Exists(false)), "9"},
			"size":         {name(data.Size(data.Between(2, 3))), "12"},
			"and":          {data.And(count(data.Gt(1)), name(data.Ne("nnnn"))), "245"},
			"or":           {data.Or(count(data.Eq(1)), name(data.Eq("x"))), "19"},
			"not":          {data.Not(data.Or(count(data.Lt(4)), name(data.Eq("x")))), "45"},
			"two":          {count(data.Gt(1), data.Lt(4)), "23"},
		} {
			var got []string
			for _, i := range all(t, ctx, things, data.ListInput{Filter: tt.filter, Limit: 2}) {
				got = append(got, i.ID)
			}
			slices.Sort(got)
			if got := strings.Join(got, ""); got != tt.want {
				t.Errorf("%s: %s, want %s", text, got, tt.want)
			}
		}

		shift := func(d, desk int) data.Key { return data.Key{"shift": day(d), "desk": desk} }
		for text, tt := range map[string]struct {
			in   data.ListInput
			want []int
		}{
			"the primary key": {data.ListInput{Key: data.Key{"customer": "c"}},
				[]int{1, 2, 3, 4, 5, 6}},
			"one sort key of two, descending": {data.ListInput{SortDirection: data.Descending,
				Key: data.Key{"customer": "c", "placedOnNo": data.BeginsWith(
					data.Key{"placedOn": day(2)})}}, []int{4, 3}},
			"an index": {data.ListInput{Index: "ordersByRegion",
				Key: data.Key{"region": "eu", "total": data.Between(11, 31)}}, []int{2, 3, 4}},
			"an index, descending": {data.ListInput{Index: "ordersByRegion", Limit: 1,
				SortDirection: data.Descending,
				Key:           data.Key{"region": "eu", "total": data.Lt(31)}},
				[]int{3, 2, 1}},
			"an index with two sort keys": {data.ListInput{Index: "ordersByClerk",
				Key: data.Key{"clerk": "k", "shiftDesk": data.Between(shift(1, 2), shift(3, 1))}},
				[]int{2, 3, 4, 5}},
			"an index and a filter": {data.ListInput{Index: "ordersByRegion", Limit: 1,
				Key: data.Key{"region": "eu"}, Filter: data.Where("no", data.Ge(5))}, []int{5, 6}},
			"another partition": {data.ListInput{Index: "ordersByState",
				Key: data.Key{"state": "shut"}}, nil},
		} {
			var got []int
			for _, o := range all(t, ctx, orders, tt.in) {
				got = append(got, o.No)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v, want %v", text, got, tt.want)
			}
		}
		got := must[*order](t)(orders.Get(ctx, data.GetInput{
			Key: data.Key{"customer": "c", "placedOn": day(2), "no": 3},
		}))
		if got.Total != 21 {
			t.Errorf("Get by three fields: %+v", got)
		}
	})
}

// Relations, with their items and by themselves.
func TestDataRelations(t *testing.T) {
	s := startSchemaC(t, sandbox.Config{})
	byUser := data.Options{AuthMode: data.AuthUserPool}
	type remark struct {
		ID, PostID string
		Rank       int
	}
	type post struct {
		ID, Title string
		Remarks   data.Page[struct{ Rank int }] `data:"limit=2"`
		Cover     *struct{ Image string }
		Labels    data.Page[struct{ Label struct{ Name string } }]
	}
	posts := modelOf[post](t, s, "Post").With(byUser)
	remarks := modelOf[remark](t, s, "Remark").With(byUser)
	related := must[data.Relation[remark]](t)(data.RelationOf[remark](posts, "remarks"))
	back := must[data.Relation[post]](t)(data.RelationOf[post](remarks, "post"))
	type image struct{ Image string }
	cover := must[data.Relation[image]](t)(data.RelationOf[image](posts, "cover"))
	s.as(t, ada, func(ctx context.Context) {
		create := func(model string, item object) {
			t.Helper()
			m, err := data.DynamicModelOf(s.runner.App(), model, "id")
			if err != nil {
				t.Fatal(err)
			}
			must[*object](t)(m.Create(ctx, data.CreateInput{Item: item, Options: byUser}))
		}
		create("Post", object{"id": "p", "title": "Post"})
		create("Post", object{"id": "bare", "title": "Bare"})
		for i := range 5 {
			create("Remark", object{"id": fmt.Sprint("r", i), "postId": "p", "rank": i})
		}
		create("Cover", object{"postId": "p", "image": "image"})
		create("Label", object{"id": "l", "name": "label"})
		create("PostLabels", object{"postId": "p", "labelId": "l"})

		got := must[*post](t)(posts.Get(ctx, data.GetInput{Key: data.ID("p")}))
		if got.Remarks.NextToken == "" {
			t.Error("the remarks have no next page")
		}
		got.Remarks.NextToken = ""
		want := &post{ID: "p", Title: "Post", Cover: &struct{ Image string }{"image"},
			Remarks: data.Page[struct{ Rank int }]{Items: []struct{ Rank int }{{0}, {1}}},
			Labels: data.Page[struct{ Label struct{ Name string } }]{
				Items: []struct{ Label struct{ Name string } }{{struct{ Name string }{"label"}}}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Get (-want +got):\n%s", diff)
		}
		var ranks []int
		in := data.RelationInput{Of: got, Limit: 2, SortDirection: data.Descending,
			Filter: data.Where("rank", data.Ne(2))}
		var last *remark
		for r, err := range related.ListAll(ctx, in) {
			if err != nil {
				t.Fatal(err)
			}
			ranks, last = append(ranks, r.Rank), r
		}
		if !slices.Equal(ranks, []int{4, 3, 1, 0}) {
			t.Errorf("has many: %v", ranks)
		}
		if got := must[*post](t)(back.Get(ctx, data.RelationInput{Of: last})); got.Title != "Post" {
			t.Errorf("belongs to: %+v", got)
		}
		if got := must[*image](t)(cover.Get(ctx,
			data.RelationInput{Of: got})); got.Image != "image" {
			t.Errorf("has one: %+v", got)
		}
		_, err := cover.Get(ctx, data.RelationInput{Of: data.ID("bare")})
		if !errors.Is(err, data.ErrNotFound) {
			t.Errorf("has none: %v", err)
		}
		if _,
			err := related.List(ctx, data.RelationInput{Of: data.ID("x")}); !errors.Is(err,
			data.ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
	})

	// An answer has what the caller may see, and says what not.
	s.as(t, bob, func(ctx context.Context) {
		type told struct {
			Title  string
			Secret *struct{ Text string }
		}
		got,
			err := modelOf[told](t, s, "Post").Get(ctx,
			data.GetInput{Key: data.ID("p"), Options: byUser})
		if got == nil || got.Title != "Post" || got.Secret != nil {
			t.Errorf("partial data: %+v", got)
		}
		var refused *data.GraphQLError
		if !errors.As(err, &refused) || !slices.Equal(refused.Path, []any{"getPost", "secret"}) ||
			amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
			t.Errorf("the error of partial data: %v", err)
		}
	})
}

// The mode that ChooseAuthMode returns works. Where it finds none, no mode does.
func TestDataChoice(t *testing.T) {
	s := startSchemaC(t, sandbox.Config{})
	var outputs struct {
		Data struct {
			Introspection struct{ Models object } `json:"model_introspection"`
		}
	}
	if err := json.Unmarshal(s.Outputs(), &outputs); err != nil {
		t.Fatal(err)
	}
	// lists asks for a page of a model's items.
	lists := func(ctx context.Context, m data.Model[map[string]any], mode data.AuthMode) error {
		_, err := m.List(ctx, data.ListInput{Options: data.Options{AuthMode: mode}})
		return err
	}
	chosen := map[data.AuthMode]int{}
	// Who has the key may read the id of a patient, by a rule of that field.
	delete(outputs.Data.Introspection.Models, "Patient")
	for name := range outputs.Data.Introspection.Models {
		m, err := data.DynamicModelOf(s.runner.App(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range []string{"", ada, eve} {
			s.as(t, user, func(ctx context.Context) {
				choice, err := m.ChooseAuthMode(ctx, data.ActionList)
				if err == nil {
					chosen[choice.AuthMode]++
					if err := lists(ctx, m, choice.AuthMode); err != nil {
						t.Errorf("%q lists %s: %s, but %v", user, name, choice.Why, err)
					}
					return
				}
				if amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
					t.Errorf("%q lists %s: %v", user, name, err)
				}
				chosen[data.AuthNone]++
				for _, mode := range []data.AuthMode{
					data.AuthAPIKey, data.AuthUserPool, data.AuthIdentityPool,
				} {
					if lists(ctx, m, mode) == nil {
						t.Errorf("%q can list %s by %s, but: %v", user, name, mode, err)
					}
				}
			})
		}
	}
	for _, mode := range []data.AuthMode{
		data.AuthAPIKey, data.AuthUserPool, data.AuthIdentityPool, data.AuthNone,
	} {
		if chosen[mode] == 0 {
			t.Errorf("%s was never chosen: %v", mode, chosen)
		}
	}
}

// Custom queries, and documents of the program's own.
func TestDataOperations(t *testing.T) {
	s := startSchemaC(t, sandbox.Config{})
	byUser := data.Options{AuthMode: data.AuthUserPool}
	echo := must[data.Operation[string]](t)(data.OperationOf[string](s.runner.App(), "adminsOnly"))
	echo = echo.With(byUser)
	in := data.CallInput{Arguments: struct{ Text string }{"x"}}
	s.as(t, eve, func(ctx context.Context) {
		if got := must[*string](t)(echo.Call(ctx, in)); got == nil || *got != "x" {
			t.Errorf("a custom query: %v", got)
		}
		type answer struct {
			WhoAmI data.JSON[struct{ Groups []string }]
		}
		got := must[*answer](t)(data.GraphQL[answer](ctx, data.Request{
			Query: `{ whoAmI }`, Options: byUser,
		}))
		if !slices.Equal(got.WhoAmI.V.Groups, []string{"Admins"}) {
			t.Errorf("GraphQL: %+v", got)
		}
	})
	s.as(t, bob, func(ctx context.Context) {
		if _, err := echo.Call(ctx, in); !hasName(err, "Unauthorized") {
			t.Errorf("a custom query for a group: %v", err)
		}
		_, err := data.GraphQL[object](ctx, data.Request{Query: `{ nothing }`, Options: byUser})
		var refused *data.GraphQLError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, "nothing") {
			t.Errorf("a document that is wrong: %v", err)
		}
	})
}

// The contract server lists the notes of who asks, 20 of them.
func TestContractNotes(t *testing.T) {
	s, _ := startMemos(t)
	file := filepath.Join(t.TempDir(), "amplify_outputs.json")
	if err := os.WriteFile(file, s.Outputs(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(goProgram(t, "./examples/contract"))
	cmd.Env = append(os.Environ(), "AMPLIFY_OUTPUTS="+file, "PORT=0")
	port := startProcess(t, cmd).prints(`listening on \S*:(\d+)`)
	byUser := data.Options{AuthMode: data.AuthUserPool}
	notes := modelOf[note](t, s, "Note").With(byUser)
	s.as(t, ada, func(ctx context.Context) {
		for i := range 25 {
			must[*note](t)(notes.Create(ctx, data.CreateInput{Item: note{Text: fmt.Sprint(i)}}))
		}
	})
	for user, want := range map[string]struct {
		status, notes int
		more          bool
	}{
		ada: {http.StatusOK, 20, true}, bob: {http.StatusOK, 0, true},
		"": {http.StatusUnauthorized, 0, false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			"http://127.0.0.1:"+port+"/notes", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.cookies[user] {
			r.AddCookie(c)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answer struct {
			Items     []note
			NextToken string
		}
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want.status || len(answer.Items) != want.notes ||
			(answer.NextToken != "") != want.more {
			t.Errorf("%q: %d, %d notes, token %q", user, res.StatusCode, len(answer.Items),
				answer.NextToken)
		}
	}
}
