package data_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// A has-many relation is read by its index: as a field of its item.
func TestRelationList(t *testing.T) {
	api := deploy(t)
	workshops, err := data.ModelOf[workshop](api.app, "Workshop")
	if err != nil {
		t.Fatal(err)
	}
	bookings, err := data.RelationOf[booking](workshops, "bookings")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(
		`{"getWorkshop":{"bookings":{"items":[{"id":"b1","status":null}],"nextToken":"n"}}}`,
		`{"getWorkshop":{"bookings":{"items":[],"nextToken":"m"}}}`,
		`{"getWorkshop":{"bookings":{"items":[{"id":"b2","status":null}],"nextToken":null}}}`,
	)
	var got []string
	in := data.RelationInput{
		Of: workshop{base: base{ID: "w1"}}, Filter: data.Where("status", data.Eq("PAID")), SortDirection: data.Descending, Limit: 2,
	}
	for b, err := range bookings.ListAll(api.context(nil), in) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.ID)
	}
	if d := cmp.Diff([]string{"b1", "b2"}, got); d != "" {
		t.Error(d)
	}
	query := strings.Join(strings.Fields(api.requests[0].Query), " ")
	if !strings.Contains(query, "getWorkshop(id: $id) { bookings(filter: $filter, sortDirection: $sortDirection, limit: $limit, nextToken: $nextToken)") {
		t.Error(query)
	}
	want := map[string]any{
		"id": "w1", "limit": 2.0, "nextToken": "m", "sortDirection": "DESC", "filter": map[string]any{"status": map[string]any{"eq": "PAID"}},
	}
	if d := cmp.Diff(want, api.requests[2].Variables); d != "" {
		t.Error(d)
	}
}

func TestRelationGet(t *testing.T) {
	api := deploy(t)
	m, err := data.DynamicModelOf(api.app, "Booking")
	if err != nil {
		t.Fatal(err)
	}
	studios, err := data.DynamicModelOf(api.app, "Studio")
	if err != nil {
		t.Fatal(err)
	}
	type named struct {
		Name string `json:"displayName"`
	}
	customer, err := data.RelationOf[named](m, "customer")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := data.RelationOf[struct{ Bio string }](studios, "profile")
	if err != nil {
		t.Fatal(err)
	}
	ctx := api.context(nil)

	// Belongs-to: by the key that the item holds.
	api.answer(`{"getCustomer":{"displayName":"Kim"}}`)
	kim, err := customer.Get(ctx, data.RelationInput{Of: map[string]any{"customerTenantId": "t", "customerNumber": 3}})
	if err != nil || kim.Name != "Kim" || api.sent() != `{"customerNo":3,"tenantId":"t"}` {
		t.Errorf("%v, %v, %s", kim, err, api.sent())
	}
	// An item that refers to none sends no request.
	for _, item := range []any{
		map[string]any{"customerTenantId": nil, "customerNumber": nil}, map[string]any{"customerTenantId": "", "customerNumber": 1},
		struct {
			CustomerTenantID *string
			CustomerNumber   *int
		}{},
	} {
		api.answer()
		if _, err := customer.Get(ctx, data.RelationInput{Of: item}); !errors.Is(err, data.ErrNotFound) || len(api.requests) > 0 {
			t.Errorf("%v after %d requests", err, len(api.requests))
		}
	}
	// Has-one: as a field of its item.
	api.answer(`{"getStudio":{"profile":{"bio":"b"}}}`, `{"getStudio":{"profile":null}}`, `{"getStudio":null}`)
	in := data.RelationInput{Of: data.ID("s1")}
	if p, err := profile.Get(ctx, in); err != nil || p.Bio != "b" {
		t.Error(p, err)
	}
	for range 2 {
		if _, err := profile.Get(ctx, in); !errors.Is(err, data.ErrNotFound) {
			t.Error(err)
		}
	}
	// Options are those of the model, then of the relation, then of the call.
	api.answer(`{"getCustomer":{}}`)
	lambda := func(token string) data.Options {
		return data.Options{AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret(token)}
	}
	ofModel, err := data.RelationOf[named](m.With(lambda("model")), "customer")
	if err != nil {
		t.Fatal(err)
	}
	item := map[string]any{"customerTenantId": "t", "customerNumber": 3}
	_, _ = ofModel.Get(ctx, data.RelationInput{Of: item})
	_, _ = ofModel.With(lambda("relation")).Get(ctx, data.RelationInput{Of: item})
	_, _ = ofModel.With(lambda("relation")).Get(ctx, data.RelationInput{Of: item, Options: lambda("call")})
	var got []string
	for _, r := range api.requests {
		got = append(got, r.Header.Get("Authorization"))
	}
	if d := cmp.Diff([]string{"model", "relation", "call"}, got); d != "" {
		t.Error(d)
	}
}

func TestRelationFaults(t *testing.T) {
	api := deploy(t)
	workshops, err := data.DynamicModelOf(api.app, "Workshop")
	if err != nil {
		t.Fatal(err)
	}
	ctx := api.context(nil)
	many, err := data.RelationOf[booking](workshops, "bookings")
	if err != nil {
		t.Fatal(err)
	}
	one, err := data.RelationOf[struct{ Name string }](workshops, "studio")
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := data.RelationOf[booking](workshops, "title")
	coupons, err := data.DynamicModelOf(api.app, "Coupon")
	if err != nil {
		t.Fatal(err)
	}
	_, none := data.RelationOf[booking](coupons, "title")
	_, wrong := data.RelationOf[struct{ Cost int }](workshops, "bookings")
	_, get := many.Get(ctx, data.RelationInput{Of: data.ID("w")})
	_, list := one.List(ctx, data.RelationInput{Of: data.ID("w")})
	_, noKey := many.List(ctx, data.RelationInput{Of: map[string]any{"title": "T"}})
	_, emptyKey := many.List(ctx, data.RelationInput{Of: map[string]any{"id": ""}})
	_, noTarget := one.Get(ctx, data.RelationInput{Of: data.ID("w")})
	_, nothing := many.List(ctx, data.RelationInput{})
	_, filter := many.List(ctx, data.RelationInput{Of: data.ID("w"), Filter: data.Where("x", data.Eq(1))})
	for want, err := range map[string]error{
		`no relation of Workshop "title". It has: bookings, followUps, parent, studio, tutors`: unknown,
		`no relation of Coupon "title". It has none.`:                                          none,
		"the Booking has no such field":                                                        wrong,
		"Workshop.bookings: the relation has many items":                                       get,
		"Workshop.studio: the relation has one item":                                           list,
		"Workshop.id: the item lacks this field, by which the relation":                        noKey,
		"Workshop.id: the key lacks this field, or it is empty":                                emptyKey,
		"Workshop.studioId: the item lacks this field, by which":                               noTarget,
		"Workshop: there is no value":                                                          nothing,
		"Booking.x: the model has no such field":                                               filter,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if len(api.requests) > 0 {
		t.Error("something was sent")
	}
}
