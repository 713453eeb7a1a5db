package data_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

type address struct {
	City   string
	Street *string
	Point  *struct{ Lat, Lng float64 }
	Kind   string
}

type booking struct {
	ID     string
	Status *string
}

// base is embedded.
type base struct {
	ID        string
	CreatedAt time.Time
}

type workshop struct {
	base
	Title     string
	Level     level
	Seats     int
	Price     *float64
	Tags      []string
	HeldOn    *data.Date
	BeginsAt  *time.Time
	DoorsAt   *data.TimeOfDay
	TouchedAt *data.Timestamp
	Extra     *data.JSON[map[string]int]
	StudioID  string
	Owner     string
	Studio    *struct {
		Name    string
		Address *address
	}
	Bookings data.Page[booking] `data:"limit=2"`
	Note     string             `json:"-"`
}

type level string

// A struct decodes fields of all types, nested items and pages.
func TestModelOf(t *testing.T) {
	api := deploy(t)
	workshops, err := data.ModelOf[workshop](api.app, "Workshop")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"getWorkshop": {
		"id": "w1", "createdAt": "2024-05-01T10:00:00.123Z", "title": "Clay", "level": "BEGINNER", "seats": 8, "price": null,
		"tags": ["a", "b"], "heldOn": "2024-05-17", "beginsAt": "2024-05-17T10:00:00.000+02:00", "doorsAt": "09:30:00.5Z",
		"touchedAt": 1714557600, "extra": "{\"a\":1}", "studioId": "s1", "owner": "u::alice",
		"studio": {"name": "North", "address": {"city": "Oslo", "street": null, "point": {"lat": 59.9, "lng": 10.7}, "kind": "VENUE"}},
		"bookings": {"items": [{"id": "b1", "status": "PAID"}, null], "nextToken": "n"}}}`)
	got, err := workshops.Get(api.context(nil), data.GetInput{Key: data.ID("w1")})
	if err != nil {
		t.Fatal(err)
	}
	paid := "PAID"
	begins := time.Date(2024, 5, 17, 10, 0, 0, 0, time.FixedZone("", 7200))
	want := &workshop{
		base:  base{"w1", time.Date(2024, 5, 1, 10, 0, 0, 123e6, time.UTC)},
		Title: "Clay", Level: "BEGINNER", Seats: 8, Tags: []string{"a", "b"},
		HeldOn: &data.Date{Year: 2024, Month: 5, Day: 17}, BeginsAt: &begins,
		DoorsAt:   &data.TimeOfDay{Hour: 9, Minute: 30, Nanosecond: 500e6, Offset: "Z"},
		TouchedAt: &data.Timestamp{Time: time.Unix(1714557600, 0).UTC()},
		Extra:     &data.JSON[map[string]int]{V: map[string]int{"a": 1}}, StudioID: "s1", Owner: "u::alice",
		Bookings: data.Page[booking]{Items: []booking{{"b1", &paid}, {}}, NextToken: "n"},
	}
	want.Studio = &struct {
		Name    string
		Address *address
	}{"North", &address{City: "Oslo", Kind: "VENUE", Point: &struct{ Lat, Lng float64 }{59.9, 10.7}}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(workshop{})); d != "" {
		t.Error(d)
	}
	if got := api.sent(); got != `{"id":"w1","limit_1":2}` {
		t.Error(got)
	}
	query := strings.Join(strings.Fields(api.requests[0].Query), " ")
	if !strings.Contains(query, "bookings(limit: $limit_1) { items { id status } nextToken }") {
		t.Error(query)
	}
	if strings.Contains(query, "note") {
		t.Error("a field that is not to be read is selected: ", query)
	}
}

// Types that take everything select everything.
func TestModelOfMaps(t *testing.T) {
	api := deploy(t)
	type whole struct {
		ID       string
		Address  map[string]any
		Branches []map[string]any
		Settings json.RawMessage
		Profile  any
		Rating   any
	}
	studios, err := data.ModelOf[whole](api.app, "Studio")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"getStudio": {"id": "s1", "address": {"city": "Oslo"}, "branches": [null], "settings": "{}", "profile": {"bio": "b"}, "rating": 1.5}}`)
	got, err := studios.Get(api.context(nil), data.GetInput{Key: data.ID("s1")})
	if err != nil {
		t.Fatal(err)
	}
	want := &whole{"s1", map[string]any{"city": "Oslo"}, []map[string]any{nil}, json.RawMessage(`"{}"`), map[string]any{"bio": "b"}, 1.5}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	query := strings.Join(strings.Fields(api.requests[0].Query), " ")
	for _, part := range []string{
		"address { street city point { lat lng } labels kind }", "branches { street city point { lat lng } labels kind }",
		"profile { id studioId bio website contact hotline addressSeen createdAt updatedAt }",
	} {
		if !strings.Contains(query, part) {
			t.Errorf("%s\nlacks %s", query, part)
		}
	}
}

// Faults of a Go type come when the model is made, with the name of the Go field.
func TestModelOfFaults(t *testing.T) {
	api := deploy(t)
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"an unknown model": {fault[struct{ ID string }](api.app, "Workshops"), []string{`no model "Workshops". It has: Booking, Coupon`}},
		"an unknown field": {fault[struct{ Titel string }](api.app, "Workshop"), []string{`struct { Titel string }.Titel "Titel": the Workshop has no such field. It has: id, title,`}},
		"an unknown field of a custom type": {
			fault[struct{ Address struct{ Zip string } }](api.app, "Studio"), []string{".Address.Zip", "the Address has no such field. It has: street, city"},
		},
		"an unknown field of a related item": {
			fault[struct {
				Bookings data.Page[struct{ Cost int }]
			}](api.app, "Workshop"), []string{".Bookings.Items.Cost", "the Booking has no such field"},
		},
		"text for a number":          {fault[struct{ Seats string }](api.app, "Workshop"), []string{".Seats: Int! does not fit a string"}},
		"a number for text":          {fault[struct{ Title int }](api.app, "Workshop"), []string{"String! does not fit a int"}},
		"a small number":             {fault[struct{ Seats int8 }](api.app, "Workshop"), []string{"Int! does not fit a int8"}},
		"a whole number for a Float": {fault[struct{ Price int }](api.app, "Workshop"), []string{"Float does not fit a int"}},
		"a time for a date":          {fault[struct{ HeldOn time.Time }](api.app, "Workshop"), []string{"AWSDate does not fit a time.Time"}},
		"a date for a time":          {fault[struct{ BeginsAt data.Date }](api.app, "Workshop"), []string{"AWSDateTime does not fit a data.Date"}},
		"an address for text":        {fault[struct{ Title netip.Addr }](api.app, "Workshop"), []string{"String! does not fit a netip.Addr"}},
		"JSON for text":              {fault[struct{ Title data.JSON[int] }](api.app, "Workshop"), []string{"String! does not fit a data.JSON"}},
		"bytes for text":             {fault[struct{ Title []byte }](api.app, "Workshop"), []string{"String! does not fit a []uint8"}},
		"a map for text":             {fault[struct{ Title map[string]any }](api.app, "Workshop"), []string{"String! does not fit a map"}},
		"a list for one":             {fault[struct{ Title []string }](api.app, "Workshop"), []string{"String! does not fit a []string"}},
		"one for a list":             {fault[struct{ Tags string }](api.app, "Workshop"), []string{"[String!]! is a list, which string does not take"}},
		"a list of others":           {fault[struct{ Tags []int }](api.app, "Workshop"), []string{"String! does not fit a int"}},
		"text for an item":           {fault[struct{ Studio string }](api.app, "Workshop"), []string{"Studio has fields: it fits a struct"}},
		"a list for an item":         {fault[struct{ Studio []struct{ ID string } }](api.app, "Workshop"), []string{"Studio has fields"}},
		"a list for a page":          {fault[struct{ Bookings []booking }](api.app, "Workshop"), []string{"[Booking] comes in pages: use a data.Page"}},
		"one item for a list": {
			fault[struct{ Branches struct{ City string } }](api.app, "Studio"), []string{"[Address] is a list, which struct"},
		},
		"nothing to select": {fault[struct{ Studio struct{} }](api.app, "Workshop"), []string{"has no field that can be selected"}},
		"quoted numbers": {fault[struct {
			Seats int `json:",string"`
		}](api.app, "Workshop"), []string{"expects numbers in quotes"}},
		"a field twice": {fault[struct{ Title, TITLE string }](api.app, "Workshop"), []string{".TITLE", ".Title takes this field, too"}},
		"a limit of a value": {fault[struct {
			Title string `data:"limit=3"`
		}](api.app, "Workshop"), []string{"only a data.Page has a limit"}},
		"a limit that is none": {fault[struct {
			Bookings data.Page[booking] `data:"limit=0"`
		}](api.app, "Workshop"), []string{"not of the form"}},
		"another tag": {fault[struct {
			Bookings data.Page[booking] `data:"max=1"`
		}](api.app, "Workshop"), []string{"not of the form"}},
		"no end": {
			fault[struct {
				Studio struct{ Workshops data.Page[deepWorkshop] }
			}](api.app, "Workshop"),
			[]string{".Studio.Workshops.Items.Parent: data_test.deepWorkshop selects itself"},
		},
		"no struct":    {fault[string](api.app, "Workshop"), []string{"Workshop has fields: it fits a struct"}},
		"all at once":  {fault[struct{ Nope, Seats string }](api.app, "Workshop"), []string{".Nope", ".Seats"}},
		"an operation": {operationFault[string](api.app, "countSeats"), []string{"Int does not fit a string"}},
		"a list of results": {
			operationFault[workshop](api.app, "topWorkshops"), []string{"[Workshop] is a list, which data_test.workshop does not take"},
		},
		"an unknown operation": {operationFault[string](api.app, "ecco"), []string{`no custom query or mutation "ecco". It has: countSeats, echo`}},
		"an unknown enum":      {enumFault(api.app, "Levels"), []string{`no enum "Levels". It has: AddressKind`}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(c.err.Error(), want) {
					t.Errorf("%v\nlacks %q", c.err, want)
				}
			}
			if amplify.ReasonOf(c.err) != amplify.ReasonConfiguration {
				t.Errorf("the reason is %q", amplify.ReasonOf(c.err))
			}
		})
	}
	if n := len(amplify.ConfigErrors(fault[struct{ Nope, Seats string }](api.app, "Workshop"))); n != 2 {
		t.Errorf("%d faults, not 2", n)
	}
}

type deepWorkshop struct {
	Title  string
	Parent *deepWorkshop
}

func fault[T any](app *amplify.App, name string) error {
	_, err := data.ModelOf[T](app, name)
	return err
}

func operationFault[T any](app *amplify.App, name string) error {
	_, err := data.OperationOf[T](app, name)
	return err
}

func enumFault(app *amplify.App, name string) error {
	_, err := data.EnumValues(app, name)
	return err
}

// A model without a description of the backend.
func TestModelOfWithoutDescription(t *testing.T) {
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := fault[struct{ ID string }](app, "Note"); err == nil || !strings.Contains(err.Error(), "does not describe the models") {
		t.Error(err)
	}
}

// An item of one tenant's API is not asked of another's.
func TestModelOfAnotherApp(t *testing.T) {
	one, other := deploy(t), deploy(t)
	coupons, err := data.DynamicModelOf(one.app, "Coupon")
	if err != nil {
		t.Fatal(err)
	}
	_, err = coupons.Get(other.context(nil), data.GetInput{Key: data.Key{"code": "A"}})
	if err == nil || !strings.Contains(err.Error(), "belongs to another App") {
		t.Error(err)
	}
	if len(one.requests)+len(other.requests) > 0 {
		t.Error("something was sent")
	}
}

func TestZeroValues(t *testing.T) {
	api := deploy(t)
	ctx := api.context(nil)
	var m data.Model[booking]
	var r data.Relation[booking]
	var o data.Operation[booking]
	_, get := m.Get(ctx, data.GetInput{Key: data.ID("x")})
	_, list := m.List(ctx, data.ListInput{})
	_, create := m.Create(ctx, data.CreateInput{Item: booking{}})
	_, update := m.Update(ctx, data.UpdateInput{Item: booking{}})
	_, del := m.Delete(ctx, data.DeleteInput{Key: data.ID("x")})
	_, key := m.KeyOf(booking{})
	_, mode := m.ChooseAuthMode(ctx, data.ActionGet)
	_, relation := data.RelationOf[booking](m, "x")
	_, rGet := r.Get(ctx, data.RelationInput{})
	_, rList := r.List(ctx, data.RelationInput{})
	_, call := o.Call(ctx, data.CallInput{})
	for i, err := range []error{get, list, create, update, del, key, mode, relation, rGet, rList, call} {
		if err == nil || !strings.Contains(err.Error(), "A zero ") {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestGetKeys(t *testing.T) {
	api := deploy(t)
	customers, err := data.DynamicModelOf(api.app, "Customer", "displayName")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  data.Key
		want string // variables, or an error
	}{
		"all fields":       {data.Key{"tenantId": "t", "customerNo": 0}, `{"customerNo":0,"tenantId":"t"}`},
		"a pointer":        {data.Key{"tenantId": new(string), "customerNo": 1}, "Customer.tenantId: the key lacks this field, or it is empty"},
		"a missing field":  {data.Key{"tenantId": "t"}, "Customer.customerNo: the key lacks this field"},
		"no key":           {nil, "Customer.tenantId: the key lacks this field"},
		"another field":    {data.Key{"tenantId": "t", "customerNo": 1, "x": 1}, "Customer.x: the key has no such field. It has tenantId, customerNo"},
		"a wrong type":     {data.Key{"tenantId": "t", "customerNo": "1"}, "Customer.customerNo: string cannot be sent for Int"},
		"a fraction":       {data.Key{"tenantId": "t", "customerNo": 1.5}, "Customer.customerNo: 1.5 is no whole number"},
		"too large":        {data.Key{"tenantId": "t", "customerNo": 1 << 40}, "1099511627776 is out of range"},
		"a number as ID":   {data.Key{"tenantId": 7, "customerNo": 1}, `{"customerNo":1,"tenantId":7}`},
		"a float as whole": {data.Key{"tenantId": "t", "customerNo": 3.0}, `{"customerNo":3,"tenantId":"t"}`},
	} {
		t.Run(name, func(t *testing.T) {
			api.answer(`{"getCustomer": {"displayName": "Kim"}}`)
			got, err := customers.Get(api.context(nil), data.GetInput{Key: c.key})
			if !strings.HasPrefix(c.want, "{") {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(api.requests) > 0 {
					t.Errorf("%v after %d requests, want %s", err, len(api.requests), c.want)
				}
				return
			}
			if err != nil || (*got)["displayName"] != "Kim" || api.sent() != c.want {
				t.Errorf("%v, %v, sent %s, want %s", got, err, api.sent(), c.want)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	api := deploy(t)
	coupons, err := data.DynamicModelOf(api.app, "Coupon")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"getCoupon": null}`)
	got, err := coupons.Get(api.context(nil), data.GetInput{Key: data.Key{"code": "A"}})
	if got != nil || !errors.Is(err, data.ErrNotFound) || !strings.Contains(err.Error(), "Coupon") {
		t.Errorf("%v, %v", got, err)
	}
	// With errors, they are what counts.
	api.answers = []string{`{"data":{"getCoupon":null},"errors":[{"errorType":"Unauthorized","message":"no"}]}`}
	_, err = coupons.Get(api.context(nil), data.GetInput{Key: data.Key{"code": "A"}})
	var refusal *data.GraphQLError
	if errors.Is(err, data.ErrNotFound) || !errors.As(err, &refusal) || refusal.ErrorType != "Unauthorized" {
		t.Error(err)
	}
	// An item beside errors is returned with them.
	api.answers = []string{`{"data":{"getCoupon":{"code":"A"}},"errors":[{"message":"percent"}]}`}
	got, err = coupons.Get(api.context(nil), data.GetInput{Key: data.Key{"code": "A"}})
	if got == nil || (*got)["code"] != "A" || err == nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestKeyOf(t *testing.T) {
	api := deploy(t)
	type customer struct {
		TenantID   string `json:"tenantId"`
		CustomerNo *int
		Name       string `json:"displayName"`
	}
	customers, err := data.ModelOf[customer](api.app, "Customer")
	if err != nil {
		t.Fatal(err)
	}
	seven := 7
	want := data.Key{"tenantId": "t", "customerNo": 7}
	for name, item := range map[string]any{
		"a struct":           customer{"t", &seven, "Kim"},
		"a pointer":          &customer{"t", &seven, "Kim"},
		"a map":              map[string]any{"tenantId": "t", "customerNo": 7, "other": 1},
		"a key":              data.Key{"tenantId": "t", "customerNo": 7},
		"an embedded struct": struct{ customer }{customer{"t", &seven, ""}},
	} {
		got, err := customers.KeyOf(item)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	for name, item := range map[string]any{
		"nil": nil, "a nil pointer": (*customer)(nil), "text": "t", "an item without a key": customer{TenantID: "t"},
		"an empty key": customer{"", &seven, ""},
	} {
		if got, err := customers.KeyOf(item); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Options of a call win over those of the model.
func TestWith(t *testing.T) {
	api := deploy(t)
	m, err := data.DynamicModelOf(api.app, "Coupon")
	if err != nil {
		t.Fatal(err)
	}
	custom := m.With(data.Options{AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret("model")})
	api.answer(`{"getCoupon": {}}`)
	for _, o := range []data.Options{{}, {AuthToken: amplify.NewSecret("call")}, {AuthMode: data.AuthAPIKey}} {
		if _, err := custom.Get(api.context(nil), data.GetInput{Key: data.Key{"code": "A"}, Options: o}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, r := range api.requests {
		got = append(got, r.Header.Get("Authorization")+r.Header.Get("X-Api-Key"))
	}
	if d := cmp.Diff([]string{"model", "call", "da2-conformanceschemaakey0000"}, got); d != "" {
		t.Error(d)
	}
}
