package data_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

func TestListKeys(t *testing.T) {
	api := deploy(t)
	for name, c := range map[string]struct {
		model string
		in    data.ListInput
		want  string // variables, or an error
	}{
		"a table":       {"Workshop", data.ListInput{Limit: 5, NextToken: "n"}, `{"limit":5,"nextToken":"n"}`},
		"no key":        {"Ledger", data.ListInput{}, `{}`},
		"a partition":   {"Ledger", data.ListInput{Key: data.Key{"account": "a"}}, `{"account":"a"}`},
		"with an order": {"Ledger", data.ListInput{Key: data.Key{"account": "a"}, SortDirection: data.Descending}, `{"account":"a","sortDirection":"DESC"}`},
		"a sort key":    {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": 0}}, `{"customerNo":{"eq":0},"tenantId":"t"}`},
		"a condition":   {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": data.Between(1, 9)}}, `{"customerNo":{"between":[1,9]},"tenantId":"t"}`},
		"a raw condition": {
			"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": map[string]any{"ge": 1}}}, `{"customerNo":{"ge":1},"tenantId":"t"}`,
		},
		"several sort keys": {
			"Ledger", data.ListInput{Key: data.Key{"account": "a", "postedAtEntryNo": data.Key{"postedAt": "2024-01-01T00:00:00Z", "entryNo": 2}}},
			`{"account":"a","postedAtEntryNo":{"eq":{"entryNo":2,"postedAt":"2024-01-01T00:00:00Z"}}}`,
		},
		"a condition on several": {
			"Ledger", data.ListInput{Key: data.Key{"account": "a", "postedAtEntryNo": data.Between(data.Key{"postedAt": "2024"}, data.Key{"postedAt": "2025"})}},
			`{"account":"a","postedAtEntryNo":{"between":[{"postedAt":"2024"},{"postedAt":"2025"}]}}`,
		},
		"an index": {"Studio", data.ListInput{Index: "studioBySlug", Key: data.Key{"slug": "n"}}, `{"slug":"n"}`},
		"an index of enums": {
			"Workshop", data.ListInput{Index: "listWorkshopByLevelAndHeldOnAndTitle", Key: data.Key{
				"level": level("ADVANCED"), "heldOnTitle": data.BeginsWith(data.Key{"heldOn": data.Date{Year: 2024, Month: 1, Day: 2}}),
			}, Filter: data.Where("seats", data.Gt(1)), SortDirection: data.Ascending, Limit: 1},
			`{"filter":{"seats":{"gt":1}},"heldOnTitle":{"beginsWith":{"heldOn":"2024-01-02"}},"level":"ADVANCED","limit":1,"sortDirection":"ASC"}`,
		},

		"an unknown index":       {"Studio", data.ListInput{Index: "bySlug", Key: data.Key{"slug": "n"}}, `Studio: there is no index "bySlug". There are ["studioBySlug"]`},
		"an index without a key": {"Studio", data.ListInput{Index: "studioBySlug"}, "Studio.slug: the key lacks this field"},
		"an empty key":           {"Coupon", data.ListInput{Key: data.Key{"code": ""}}, "Coupon.code: the key lacks this field, or it is empty"},
		"a sort key alone":       {"Customer", data.ListInput{Key: data.Key{"customerNo": 1}}, "Customer.tenantId: the key lacks this field"},
		"a key for a table":      {"Studio", data.ListInput{Key: data.Key{"id": "s"}}, `Studio.id: listStudios has no such key. It takes none. Indexes do: "studioBySlug" by slug`},
		"another key":            {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "x": 1}}, "Customer.x: listCustomers has no such key. It takes the partition key tenantId and a value or a condition for customerNo"},
		"a part of a sort key":   {"Ledger", data.ListInput{Key: data.Key{"account": "a", "postedAt": "2024"}}, "Ledger.postedAt: listLedgers has no such key"},
		"an order of a table":    {"Workshop", data.ListInput{SortDirection: data.Descending}, "Workshop: listWorkshops has no order. Use an index with a sort key"},
		"an unknown order":       {"Coupon", data.ListInput{SortDirection: "desc"}, `"desc" is no sort direction. Use data.Ascending`},
		"a negative limit":       {"Coupon", data.ListInput{Limit: -1}, "a limit cannot be negative"},
		"no name":                {"Coupon", data.ListInput{Key: data.Key{"code": "A", "": 1}}, "Coupon.: listCoupons has no such key"},
		"no condition":           {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": map[string]any{}}}, "there is no condition"},
		"a pointer to none":      {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": (*int)(nil)}}, "a key cannot be compared with nothing"},
		"a wrong condition":      {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": data.Contains(1)}}, `is not compared by "contains"`},
		"a prefix of a number":   {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": data.BeginsWith(1)}}, `is not compared by "beginsWith"`},
		"a wrong type":           {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": data.Ge("1")}}, "string cannot be sent for Int"},
		"nothing":                {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": nil}}, "a key cannot be compared with nothing"},
		"one bound":              {"Customer", data.ListInput{Key: data.Key{"tenantId": "t", "customerNo": map[string]any{"between": 1}}}, "between takes two values"},
		"another sort key": {
			"Ledger", data.ListInput{Key: data.Key{"account": "a", "postedAtEntryNo": data.Ge(data.Key{"amount": 1})}}, `"amount" is no sort key. They are postedAt, entryNo`,
		},
		"one of several": {"Ledger", data.ListInput{Key: data.Key{"account": "a", "postedAtEntryNo": data.Ge("2024")}}, "string is no key. Give a data.Key with postedAt, entryNo"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := data.DynamicModelOf(api.app, c.model)
			if err != nil {
				t.Fatal(err)
			}
			api.answer(`{}`)
			_, err = m.List(api.context(nil), c.in)
			if !strings.HasPrefix(c.want, "{") {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(api.requests) > 0 {
					t.Errorf("%v after %d requests, want %s", err, len(api.requests), c.want)
				}
				return
			}
			if got := api.sent(); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestListAll(t *testing.T) {
	page := func(token string, codes ...string) string {
		items := []string{}
		for _, code := range codes {
			items = append(items, fmt.Sprintf(`{"code":%q}`, code))
		}
		return fmt.Sprintf(`{"listCoupons":{"items":[%s],"nextToken":%s}}`, strings.Join(items, ","), token)
	}
	for name, c := range map[string]struct {
		in      data.ListInput
		answers []string
		want    []string
		err     string
		asked   []string // limits and tokens
	}{
		"one page":          {data.ListInput{}, []string{page("null", "A", "B")}, []string{"A", "B"}, "", []string{"<nil> <nil>"}},
		"empty pages":       {data.ListInput{}, []string{page(`"1"`), page(`"2"`, "A"), page(`"3"`), page("null")}, []string{"A"}, "", []string{"<nil> <nil>", "<nil> 1", "<nil> 2", "<nil> 3"}},
		"from a token":      {data.ListInput{NextToken: "0", Limit: 7}, []string{page(`"1"`), page("null", "A")}, []string{"A"}, "", []string{"7 0", "7 1"}},
		"enough":            {data.ListInput{MaxRead: 250}, []string{page(`"1"`, "A"), page(`"2"`), page("null", "B")}, []string{"A", "B"}, "", []string{"<nil> <nil>", "<nil> 1", "50 2"}},
		"too many":          {data.ListInput{MaxRead: 250, Limit: 200}, []string{page(`"1"`, "A"), page(`"2"`), page("null", "B")}, []string{"A"}, "goes on after 250 items have been read", []string{"200 <nil>", "50 1"}},
		"fewer than a page": {data.ListInput{MaxRead: 2}, []string{page(`"1"`, "A", "B")}, []string{"A", "B"}, "goes on after 2 items", []string{"2 <nil>"}},
		"no list":           {data.ListInput{}, []string{`{"listCoupons":null}`}, nil, "The answer has no listCoupons", []string{"<nil> <nil>"}},
		"a wrong call":      {data.ListInput{Index: "x"}, nil, nil, "there is no index", nil},
	} {
		t.Run(name, func(t *testing.T) {
			api := deploy(t)
			coupons, err := data.ModelOf[struct{ Code string }](api.app, "Coupon")
			if err != nil {
				t.Fatal(err)
			}
			api.answer(c.answers...)
			var got []string
			var ended error
			for coupon, err := range coupons.ListAll(api.context(nil), c.in) {
				if ended != nil {
					t.Fatal("it goes on after an error")
				}
				if ended = err; err == nil {
					got = append(got, coupon.Code)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" || (ended == nil) != (c.err == "") || ended != nil && !strings.Contains(ended.Error(), c.err) {
				t.Errorf("%v, %s", ended, d)
			}
			var asked []string
			for _, r := range api.requests {
				asked = append(asked, fmt.Sprint(r.Variables["limit"], " ", r.Variables["nextToken"]))
			}
			if d := cmp.Diff(c.asked, asked); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestListAllIsBounded: of a list without an end at most 10,000 items are read. No page is read
// ahead.
func TestListAllIsBounded(t *testing.T) {
	api := deploy(t)
	coupons, err := data.DynamicModelOf(api.app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"listCoupons":{"items":[],"nextToken":"again"}}`)
	for _, err = range coupons.ListAll(api.context(nil), data.ListInput{}) {
		if err != nil {
			break
		}
	}
	if err == nil || len(api.requests) != 100 {
		t.Errorf("%v after %d requests", err, len(api.requests))
	}
	api.answer(`{"listCoupons":{"items":[{"code":"A"},{"code":"B"}],"nextToken":"again"}}`)
	for range coupons.ListAll(api.context(nil), data.ListInput{}) {
		break
	}
	if len(api.requests) != 1 {
		t.Errorf("%d requests", len(api.requests))
	}
}

// A list of a request that has ended asks no further.
func TestListAllEndsWithTheContext(t *testing.T) {
	api := deploy(t)
	coupons, err := data.DynamicModelOf(api.app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"listCoupons":{"items":[{"code":"A"}],"nextToken":"again"}}`)
	ctx, done := amplify.WithServerContext(context.Background(), api.app, amplify.Providers{})
	n := 0
	for _, err = range coupons.ListAll(ctx, data.ListInput{}) {
		n++
		done()
	}
	if n != 2 || err == nil || !strings.Contains(err.Error(), "operation has returned") {
		t.Errorf("%v after %d", err, n)
	}
}

// A page with errors is returned with them, and its null items are kept.
func TestListWithErrors(t *testing.T) {
	api := deploy(t)
	coupons, err := data.DynamicModelOf(api.app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	api.answers = []string{`{"data":{"listCoupons":{"items":[{"code":"A"},null],"nextToken":"n"}},"errors":[{"message":"one"}]}`}
	page, err := coupons.List(api.context(nil), data.ListInput{})
	want := &data.Page[map[string]any]{Items: []map[string]any{{"code": "A"}, nil}, NextToken: "n"}
	if d := cmp.Diff(want, page); d != "" || err == nil {
		t.Errorf("%v\n%s", err, d)
	}
}
