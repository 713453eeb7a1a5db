package items_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// orders is a table with a sort key and an index by number.
var orders = items.Table{Name: "Order", Key: items.Key{Partition: "customer", Sort: "no"},
	Indexes: []items.Key{{Name: "byTotal", Partition: "state", Sort: "total"}, {Name: "byState",
		Partition: "state"}},
	Numbers: []string{"no", "total"}}

func open(t testing.TB, dir string, tables ...*items.Table) (*items.Store, *store.Store) {
	t.Helper()
	db, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := items.New(t.Context(), db, tables)
	if err != nil {
		t.Fatal(err)
	}
	return s, db
}

// put writes an item.
func put(t testing.TB, s *items.Store, table *items.Table, item items.Item) error {
	t.Helper()
	return s.Change(t.Context(), table, item, func(items.Item) (items.Item, error) {
		return item,
			nil
	})
}

// filled returns a store with the orders 1 to n of a customer,
// whose totals fall, and one of another.
func filled(t testing.TB, n int64) *items.Store {
	t.Helper()
	s, _ := open(t, "", &orders)
	all := []items.Item{{"customer": "b", "no": int64(7)}}
	for i := int64(1); i <= n; i++ {
		all = append(all, items.Item{"customer": "a", "no": i, "state": "open", "total": 100 - i})
	}
	for _, item := range all {
		if err := put(t, s, &orders, item); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// numbers returns the orders that a query finds, over all its pages.
func numbers(t testing.TB, s *items.Store, q items.Query) (found []int64, pages int) {
	t.Helper()
	q.Table = &orders
	for {
		page, err := s.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			found = append(found, item["no"].(int64))
		}
		pages++
		if q.Token = page.Token; q.Token == "" {
			return found, pages
		}
	}
}

func TestQuery(t *testing.T) {
	s := filled(t, 11)
	for name, tt := range map[string]struct {
		q     items.Query
		want  []int64
		pages int
	}{
		"a partition": {items.Query{Partition: "a", Limit: 100}, []int64{1, 2, 3, 4, 5, 6, 7, 8,
			9, 10, 11}, 1},
		"pages": {items.Query{Partition: "a", Limit: 4}, []int64{1, 2, 3, 4, 5, 6, 7, 8,
			9, 10, 11}, 3},
		"pages backwards": {items.Query{Partition: "a", Limit: 5, Descending: true}, []int64{11, 10,
			9, 8, 7, 6, 5, 4, 3, 2, 1}, 3},
		"a range": {items.Query{Partition: "a", Limit: 9, Sort: items.Range{Low: int64(2),
			LowOpen: true, High: int64(4)}}, []int64{3, 4}, 1},
		"an open end": {items.Query{Partition: "a", Limit: 9, Sort: items.Range{High: 2.5,
			HighOpen: true}}, []int64{1, 2}, 1},
		"a full last page has a token": {items.Query{Partition: "a", Limit: 11},
			[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 2},
		"an index": {items.Query{Index: "byTotal", Partition: "open", Limit: 3},
			[]int64{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 4},
		"an index in range": {items.Query{Index: "byTotal", Partition: "open", Limit: 1,
			Sort: items.Range{Low: int64(90), High: int64(91)}}, []int64{10, 9}, 3},
		"a filter counts what is read": {items.Query{Partition: "a", Limit: 4,
			Match: func(item items.Item) bool { return item["no"] == int64(11) }}, []int64{11}, 3},
		"nobody": {items.Query{Partition: "c", Limit: 4}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, pages := numbers(t, s, tt.q)
			if !slices.Equal(got, tt.want) || pages != tt.pages {
				t.Errorf("%v in %d pages, want %v in %d", got, pages, tt.want, tt.pages)
			}
		})
	}
	for name, q := range map[string]items.Query{
		"a scan": {Limit: 5}, "an index without sort key": {Index: "byState", Partition: "open",
			Limit: 2},
	} {
		got, _ := numbers(t, s, q)
		slices.Sort(got)
		if want := []int64{1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11}; name == "a scan" &&
			!slices.Equal(got, want) ||
			name != "a scan" && len(got) != 11 {
			t.Errorf("%s: %v", name, got)
		}
	}
	var refused *items.InvalidError
	if _, err := s.Query(t.Context(), items.Query{Table: &orders, Limit: 0}); !errors.As(err,
		&refused) {
		t.Errorf("a limit of 0: %v", err)
	}
}

// TestPageOfLargeItems: a page reads a megabyte at most.
func TestPageOfLargeItems(t *testing.T) {
	s, _ := open(t, "", &orders)
	for i := range int64(5) {
		if err := put(t, s, &orders, items.Item{"customer": "a", "no": i,
			"text": strings.Repeat("x", 399<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	var refused *items.InvalidError
	if err := put(t, s, &orders, items.Item{"customer": "a", "no": int64(9),
		"text": strings.Repeat("x", 400<<10)}); !errors.As(err, &refused) {
		t.Errorf("an item that is too large: %v", err)
	}
	if got, pages := numbers(t, s, items.Query{Partition: "a", Limit: 100}); len(got) != 5 ||
		pages != 2 {
		t.Errorf("%v in %d pages", got, pages)
	}
}

// TestOthersDoNotWaitForMatches: while a page is matched, others can write.
func TestOthersDoNotWaitForMatches(t *testing.T) {
	s := filled(t, 1)
	_, err := s.Query(t.Context(), items.Query{Table: &orders, Limit: 1,
		Match: func(items.Item) bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := s.Get(ctx, &orders, items.Item{"customer": "a", "no": int64(1)})
			if err != nil {
				t.Error(err)
			}
			return true
		}})
	if err != nil {
		t.Error(err)
	}
}

// TestTokens: a token tells nothing, and is good in its own partition alone.
func TestTokens(t *testing.T) {
	s := filled(t, 3)
	page, err := s.Query(t.Context(), items.Query{Table: &orders, Partition: "a", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	inner, err := base64.StdEncoding.DecodeString(page.Token)
	if err != nil || !strings.HasPrefix(page.Token, "eyJ2ZXJzaW9u") ||
		strings.Contains(string(inner), "customer") {
		t.Errorf("%s: %v", inner, err)
	}
	other := filled(t, 3)
	for name, tt := range map[string]struct {
		s *items.Store
		q items.Query
	}{
		"another partition": {s, items.Query{Partition: "b", Token: page.Token}},
		"the whole table":   {s, items.Query{Token: page.Token}},
		"an index":          {s, items.Query{Index: "byTotal", Partition: "a", Token: page.Token}},
		"another store":     {other, items.Query{Partition: "a", Token: page.Token}},
		"a changed one": {s, items.Query{Partition: "a", Token: page.Token[:40] + "AAAA" +
			page.Token[44:]}},
		"no token": {s, items.Query{Partition: "a", Token: "eyJ2ZXJzaW9uIjozfQ=="}},
		"garbage":  {s, items.Query{Partition: "a", Token: "?"}},
	} {
		tt.q.Table, tt.q.Limit = &orders, 1
		if page, err := tt.s.Query(t.Context(), tt.q); !errors.Is(err, items.ErrToken) {
			t.Errorf("%s: %v, %v", name, page, err)
		}
	}
}

func TestChange(t *testing.T) {
	s := filled(t, 1)
	ctx, key := t.Context(), items.Item{"customer": "a", "no": int64(1)}
	failed := errors.New("no")
	err := s.Change(ctx, &orders, key, func(old items.Item) (items.Item, error) {
		old["state"] = "lost"
		return old, failed
	})
	if item, _ := s.Get(ctx, &orders, key); err != failed || item["state"] != "open" {
		t.Errorf("%v after %v", item, err)
	}
	// The item moves in one index, and leaves the other one.
	change := func(old items.Item) (items.Item, error) {
		return items.Item{"customer": "a", "no": int64(1), "state": "paid", "more": []any{1.5, nil,
			map[string]any{}}}, nil
	}
	if err := s.Change(ctx, &orders, key, change); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		index, state string
		want         int
	}{{"byState", "paid", 1}, {"byState", "open", 0}, {"byTotal", "paid", 0}, {"byTotal", "open",
		0}} {
		if got, _ := numbers(t, s, items.Query{Index: tt.index, Partition: tt.state,
			Limit: 9}); len(got) != tt.want {
			t.Errorf("%s %s: %v", tt.index, tt.state, got)
		}
	}
	want, _ := change(nil)
	if item, err := s.Get(ctx, &orders, key); err != nil || cmp.Diff(want, item) != "" {
		t.Errorf("%v, %v", item, err)
	}
	for range 2 { // the second time there is none
		if err := s.Change(ctx, &orders, key, func(items.Item) (items.Item, error) {
			return nil,
				nil
		}); err != nil {
			t.Error(err)
		}
	}
	if item, err := s.Get(ctx, &orders, key); item != nil || err != nil {
		t.Errorf("%v, %v", item, err)
	}
	if got, _ := numbers(t, s, items.Query{Index: "byState", Partition: "paid",
		Limit: 9}); len(got) != 0 {
		t.Errorf("the index has %v", got)
	}
}

func TestKeysAreChecked(t *testing.T) {
	s, _ := open(t, "", &orders)
	for item, want := range map[*items.Item]string{
		{"customer": "", "no": int64(1)}: "cannot contain " +
			"an empty string value. Key: customer",
		{"customer": "a"}: "One of the " +
			"required keys was not given a value",
		{"customer": "a", "no": "1"}: "Type mismatch " +
			"for key no expected: N actual: S",
		{"customer": "a", "no": int64(1), "state": ""}: "IndexName: " +
			"byTotal, IndexKey: state",
		{"customer": "a", "no": int64(1), "state": "x",
			"total": nil}: "Index Key total Expected: N Actual: NULL IndexName: byTotal",
		{"customer": "a", "no": int64(1), "state": map[string]any{"x": true}}: "Expected: S " +
			"Actual: M",
	} {
		var refused *items.InvalidError
		if err := put(t, s, &orders, *item); !errors.As(err, &refused) ||
			!strings.Contains(refused.Message, want) {
			t.Errorf("%v: %v", *item, err)
		}
	}
}

// TestNewIndex: an index that the schema gets later has the items from before.
func TestNewIndex(t *testing.T) {
	dir := t.TempDir()
	before := items.Table{Name: "T", Key: items.Key{Partition: "id"}}
	s, db := open(t, dir, &before)
	for i, state := range []any{"x", nil, "x"} {
		if err := put(t, s, &before, items.Item{"id": fmt.Sprint(i), "state": state}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	after := before
	after.Indexes = []items.Key{{Name: "byState", Partition: "state"}}
	s, db = open(t, dir, &after)
	page, err := s.Query(t.Context(), items.Query{Table: &after, Index: "byState", Partition: "x",
		Limit: 9})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("%v, %v", page, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	other := items.Table{Name: "T", Key: items.Key{Partition: "state"}}
	if db, err = store.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := items.New(t.Context(), db, []*items.Table{&other}); err == nil {
		t.Error("another primary key is taken")
	}
}

// BenchmarkQuery reads a page of a hundred of 10,000 items.
func BenchmarkQuery(b *testing.B) {
	s := filled(b, 10_000)
	for name, q := range map[string]items.Query{
		"table": {Table: &orders, Partition: "a", Limit: 100},
		"index": {Table: &orders, Index: "byTotal", Partition: "open", Limit: 100},
		"scan":  {Table: &orders, Limit: 100},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if page, err := s.Query(b.Context(), q); err != nil || len(page.Items) != 100 {
					b.Fatal(len(page.Items), err)
				}
			}
		})
	}
}
