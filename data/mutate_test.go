package data_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

func TestItems(t *testing.T) {
	api := deploy(t)
	type point struct{ Lat, Lng float64 }
	type place struct {
		City   string
		Point  *point
		Labels []string
	}
	type studio struct {
		ID        string
		Name      string
		Slug      *string
		Address   *place
		Branches  []place
		Settings  *data.JSON[map[string]int]
		Year      *int `json:"openingYear"`
		IsOpen    bool
		CreatedAt time.Time
		Owner     string
		Workshops data.Page[booking]
	}
	type owned struct {
		ID       string
		Workshop *struct {
			ID    string
			Title string
		}
		Customer *struct {
			TenantID   string
			CustomerNo int
		}
		Collaborators []string
	}
	slug, empty, zero := "n", "", 0
	for name, c := range map[string]struct {
		model, action string
		item          any
		want          string // the input, or an error
	}{
		"a struct without zero values": {
			"Studio", "create", studio{Name: "N", Slug: &slug, Address: &place{City: "X", Point: &point{0, 1}}, IsOpen: false},
			`{"address":{"city":"X","point":{"lat":0,"lng":1}},"name":"N","slug":"n"}`,
		},
		"pointers to zero values": {
			"Studio", "create", &studio{Name: "N", Slug: &empty, Year: &zero}, `{"name":"N","openingYear":0,"slug":""}`,
		},
		"a map with null and zero values": {
			"Studio", "create", map[string]any{"name": "", "slug": "s", "rating": nil, "branches": []any{}, "address": map[string]any{"city": "X", "labels": nil}},
			`{"address":{"city":"X","labels":null},"branches":[],"name":"","rating":null,"slug":"s"}`,
		},
		"JSON": {
			"Studio", "create", studio{Name: "N", Slug: &slug, Settings: &data.JSON[map[string]int]{V: map[string]int{"a": 1}}, Branches: []place{{City: "Y"}}},
			`{"branches":[{"city":"Y"}],"name":"N","settings":"{\"a\":1}","slug":"n"}`,
		},
		"what is only read": {
			"Studio", "update",
			studio{ID: "s", Name: "N", CreatedAt: time.Unix(0, 0), Owner: "me", Workshops: data.Page[booking]{Items: []booking{{}}}},
			`{"id":"s","name":"N"}`,
		},
		"related items": {
			"Booking", "update", owned{ID: "b", Workshop: &struct{ ID, Title string }{"w", "T"}, Customer: &struct {
				TenantID   string
				CustomerNo int
			}{"t", 3}},
			`{"customerNumber":3,"customerTenantId":"t","id":"b","workshopId":"w"}`,
		},
		"a related item and its key": {
			"Booking", "update", map[string]any{"id": "b", "workshopId": "w", "workshop": map[string]any{"id": "w"}}, `{"id":"b","workshopId":"w"}`,
		},
		"no related item": {"Booking", "update", map[string]any{"id": "b", "customer": nil}, `{"customerNumber":null,"customerTenantId":null,"id":"b"}`},
		"owners that the model declares": {
			"Booking", "update", owned{ID: "b", Collaborators: []string{"x"}}, `{"collaborators":["x"],"id":"b"}`,
		},
		"scalars": {
			"StudioProfile", "create", map[string]any{"studioId": "s", "addressSeen": netip.MustParseAddr("10.0.0.1")}, `{"addressSeen":"10.0.0.1","studioId":"s"}`,
		},
		"an empty list that is required": {
			"Workshop", "create", map[string]any{"title": "T", "level": "BEGINNER", "seats": 1, "studioId": "s", "tags": []string(nil)},
			`{"level":"BEGINNER","seats":1,"studioId":"s","tags":[],"title":"T"}`,
		},
		"a network": {
			"StudioProfile", "create", map[string]any{"studioId": "s", "addressSeen": netip.MustParsePrefix("10.0.0.0/8")},
			`{"addressSeen":"10.0.0.0/8","studioId":"s"}`,
		},

		"no item":                      {"Studio", "create", nil, "Studio: there is no value. Give a struct or a map"},
		"text":                         {"Studio", "create", "s", "Studio: string has no fields"},
		"a struct with another field":  {"Studio", "create", struct{ Nam string }{"N"}, "Studio.Nam: the model has no such field"},
		"a wrong type":                 {"Studio", "create", map[string]any{"name": 1}, "Studio.name: int cannot be sent for String"},
		"a wrong type in a type":       {"Studio", "create", map[string]any{"name": "N", "address": map[string]any{"city": 1}}, "Studio.address.city: int cannot be sent for String"},
		"a wrong type in a list":       {"Studio", "create", map[string]any{"branches": []any{map[string]any{"city": "X"}, "Y"}}, "Studio.branches[1]: string has no fields"},
		"a struct for another type":    {"Studio", "create", map[string]any{"address": struct{ Zip string }{"1"}}, `Studio.address: Address has no field "Zip"`},
		"one for a list":               {"Studio", "create", map[string]any{"branches": map[string]any{}}, "Studio.branches: [Address] is a list"},
		"no value of an enum":          {"Workshop", "create", map[string]any{"level": "HARD"}, `Workshop.level: "HARD" is no value of the enum Level`},
		"a map for JSON":               {"Studio", "create", map[string]any{"settings": map[string]any{}}, "cannot be sent for AWSJSON. Use a data.JSON"},
		"no address":                   {"StudioProfile", "create", map[string]any{"addressSeen": netip.Addr{}}, "the netip.Addr is not set"},
		"a time for a date":            {"Workshop", "create", map[string]any{"heldOn": time.Unix(0, 0)}, "Workshop.heldOn: time.Time cannot be sent for AWSDate"},
		"no such day":                  {"Workshop", "create", map[string]any{"heldOn": data.Date{Year: 2023, Month: 2, Day: 29}}, `"2023-02-29" is no AWSDate`},
		"a far year":                   {"Workshop", "create", map[string]any{"beginsAt": time.Date(12024, 1, 1, 0, 0, 0, 0, time.UTC)}, "the year 12024 does not fit"},
		"no number":                    {"Workshop", "create", map[string]any{"seats": 1.5}, "Workshop.seats: 1.5 is no whole number"},
		"a large number":               {"Workshop", "create", map[string]any{"seats": 1 << 31}, "Workshop.seats: 2147483648 is out of range: an Int has 32 bits"},
		"a function":                   {"Workshop", "create", map[string]any{"title": func() {}}, "Workshop.title: func() cannot be sent for String"},
		"an update without a key":      {"Studio", "update", studio{Name: "N"}, "Studio.id: the key lacks this field"},
		"a related item without a key": {"Booking", "update", map[string]any{"id": "b", "workshop": map[string]any{"title": "T"}}, `Booking.workshop: the related item lacks "id"`},
		"two keys": {
			"Booking", "update", map[string]any{"id": "b", "workshopId": "v", "workshop": map[string]any{"id": "w"}},
			"Booking.workshopId: the field and the related item have different values",
		},
		"no operation": {"Ledger", "update", map[string]any{"account": "a"}, "Ledger: the API has no operation to update an item"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := data.DynamicModelOf(api.app, c.model)
			if err != nil {
				t.Fatal(err)
			}
			query := c.action + c.model
			api.answer(`{"` + query + `": {"done": true}}`)
			var out *map[string]any
			if c.action == "create" {
				out, err = m.Create(api.context(nil), data.CreateInput{Item: c.item})
			} else {
				out, err = m.Update(api.context(nil), data.UpdateInput{Item: c.item})
			}
			if !strings.HasPrefix(c.want, "{") {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(api.requests) > 0 {
					t.Errorf("%v after %d requests, want %s", err, len(api.requests), c.want)
				}
				return
			}
			if err != nil || (*out)["done"] != true {
				t.Errorf("%v, %v", out, err)
			}
			if got := api.sent(); got != `{"input":`+c.want+`}` {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// A custom type may have fields of its own type.
func TestRecursiveTypes(t *testing.T) {
	app, err := amplify.New(amplify.Config{Data: &amplify.DataConfig{ModelIntrospection: json.RawMessage(`{
		"models": {"Tree": {"fields": {"id": {"type": "ID", "isRequired": true}, "root": {"type": {"nonModel": "Node"}}}}},
		"nonModels": {"Node": {"fields": {"name": {"type": "String"}, "next": {"type": {"nonModel": "Node"}},
			"all": {"type": {"nonModel": "Node"}, "isArray": true}}}}}`)}}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	trees, err := data.DynamicModelOf(app, "Tree")
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Join(strings.Fields(data.ModelDocuments(trees)["getTree"]), " ")
	if !strings.Contains(documents, "{ id root { name } }") {
		t.Error("not all that has an end, or more: ", documents)
	}
	type node struct {
		Name string
		Next *node
	}
	endless := &node{Name: "n"}
	endless.Next = endless
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{})
	defer done()
	_, err = trees.Create(ctx, data.CreateInput{Item: map[string]any{"root": endless}})
	if err == nil || !strings.Contains(err.Error(), "the value is nested too deeply") {
		t.Error(err)
	}
	var itself any
	itself = &itself
	_, err = trees.Create(ctx, data.CreateInput{Item: map[string]any{"root": itself}})
	if err == nil || !strings.Contains(err.Error(), "has no fields") {
		t.Error(err)
	}
	type loop *loop
	_, err = data.ModelOf[struct{ Root loop }](app, "Tree")
	if err == nil {
		t.Error("a type without an end is accepted")
	}
}

// A program that takes a member out of a client's map has taken it out in any spelling: the API
// refuses names that it does not know.
func TestNamesInMapsAreExact(t *testing.T) {
	app, err := amplify.New(deploy(t).app.Config(), amplify.Options{HTTPClient: &http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil || !strings.Contains(string(body), `{"input":{"OWNER":"x","address":{"CITY":"y"},"id":"s"}}`) {
				t.Errorf("%s, %v", body, err)
			}
			return nil, errors.New("refused")
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	studios, err := data.DynamicModelOf(app, "Studio", "id")
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{})
	defer done()
	item := map[string]any{"id": "s", "OWNER": "x", "address": map[string]any{"CITY": "y"}}
	if _, err := studios.Update(ctx, data.UpdateInput{Item: item}); err == nil {
		t.Error("no error")
	}
}
