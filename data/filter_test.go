package data_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/data"
)

// Every filter that is sent is also valid by the deployed schema: see [deployed].
func TestFilters(t *testing.T) {
	api := deploy(t)
	workshops, err := data.DynamicModelOf(api.app, "Workshop", "id")
	if err != nil {
		t.Fatal(err)
	}
	deep := data.Where("title", data.Eq("x"))
	for range 60 {
		deep = data.Not(deep)
	}
	endless := map[string]any{}
	endless["not"] = endless
	for name, c := range map[string]struct {
		filter data.Filter
		want   string // what is sent, or an error
	}{
		"none":         {data.Filter{}, ""},
		"equal":        {data.Where("title", data.Eq("A")), `{"title":{"eq":"A"}}`},
		"two of one":   {data.Where("seats", data.Gt(3), data.Le(9)), `{"seats":{"gt":3,"le":9}}`},
		"between":      {data.Where("price", data.Between(1, 2.5)), `{"price":{"between":[1,2.5]}}`},
		"begins":       {data.Where("title", data.BeginsWith("A")), `{"title":{"beginsWith":"A"}}`},
		"contains":     {data.Where("tags", data.Contains("a")), `{"tags":{"contains":"a"}}`},
		"contains not": {data.Where("title", data.NotContains("a")), `{"title":{"notContains":"a"}}`},
		"exists":       {data.Where("price", data.Exists(false)), `{"price":{"attributeExists":false}}`},
		"size":         {data.Where("title", data.Size(data.Between(1, 3))), `{"title":{"size":{"between":[1,3]}}}`},
		"size equal":   {data.Where("title", data.Size(data.Ne(3))), `{"title":{"size":{"ne":3}}}`},
		"an enum":      {data.Where("level", data.Ne(level("ADVANCED"))), `{"level":{"ne":"ADVANCED"}}`},
		"enums":        {data.Where("formerLevels", data.Contains("ADVANCED")), `{"formerLevels":{"contains":"ADVANCED"}}`},
		"equal enums":  {data.Where("formerLevels", data.Eq([]level{"ADVANCED"})), `{"formerLevels":{"eq":["ADVANCED"]}}`},
		"a date":       {data.Where("heldOn", data.Ge(data.Date{Year: 2024, Month: 5, Day: 1})), `{"heldOn":{"ge":"2024-05-01"}}`},
		"a time":       {data.Where("createdAt", data.Lt(time.Unix(0, 0))), `{"createdAt":{"lt":"1970-01-01T00:00:00.000Z"}}`},
		"seconds":      {data.Where("touchedAt", data.Lt(data.Timestamp{Time: time.Unix(5, 0)})), `{"touchedAt":{"lt":5}}`},
		"the owner":    {data.Where("owner", data.Eq("me")), `{"owner":{"eq":"me"}}`},
		"null":         {data.Where("title", data.Eq(nil)), `{"title":{"eq":null}}`},
		"and": {
			data.And(data.Where("title", data.Eq("A")), data.Filter{}, data.Where("seats", data.Ne(0))),
			`{"and":[{"title":{"eq":"A"}},{"seats":{"ne":0}}]}`,
		},
		"and of one":  {data.And(data.Filter{}, data.Where("title", data.Eq("A"))), `{"title":{"eq":"A"}}`},
		"and of none": {data.And(), ""},
		"or, not": {
			data.Or(data.Where("title", data.Eq("A")), data.Not(data.Where("seats", data.Eq(1)))),
			`{"or":[{"title":{"eq":"A"}},{"not":{"seats":{"eq":1}}}]}`,
		},
		"raw": {
			data.RawFilter(map[string]any{"or": []map[string]any{{"seats": map[string]any{"eq": 1}}}, "title": map[string]any{"attributeType": "string"}}),
			`{"or":[{"seats":{"eq":1}}],"title":{"attributeType":"string"}}`,
		},
		"an empty one": {data.RawFilter(map[string]any{}), `{}`},
		"a mix":        {data.And(data.RawFilter(map[string]any{}), data.Where("title", data.Eq("A"))), `{"and":[{},{"title":{"eq":"A"}}]}`},

		"or of none":           {data.Or(), "Or has no filters"},
		"or of all":            {data.Or(data.Where("title", data.Eq("A")), data.Filter{}), `"or" has a zero filter`},
		"not all":              {data.Not(data.Filter{}), `"not" has a zero filter`},
		"a fault within":       {data.And(data.Where("title", data.Eq("A")), data.Or()), "Or has no filters"},
		"an unknown field":     {data.Where("titel", data.Eq("A")), "Workshop.titel: the model has no such field"},
		"another case":         {data.Where("Title", data.Eq("A")), "Workshop.Title: the model has no such field"},
		"a relation":           {data.Where("studio", data.Eq("A")), "Workshop.studio: a field of the type Studio cannot be compared"},
		"no condition":         {data.Where("title"), "title has no condition"},
		"one operator twice":   {data.Where("seats", data.Gt(1), data.Gt(2)), `seats is compared by "gt" twice`},
		"a wrong operator":     {data.Where("seats", data.BeginsWith("1")), `Workshop.seats: a field of the type Int! is not compared by "beginsWith"`},
		"order of enums":       {data.Where("level", data.Lt("BEGINNER")), `not compared by "lt". Use one of eq, ne`},
		"a wrong type":         {data.Where("seats", data.Gt("3")), "Workshop.seats: string cannot be sent for Int"},
		"a wrong type within":  {data.Where("seats", data.Between(1, "3")), "Workshop.seats: string cannot be sent for Int"},
		"one bound":            {data.RawFilter(map[string]any{"seats": map[string]any{"between": []any{1}}}), "between takes two values"},
		"no value of the enum": {data.Where("level", data.Eq("BASIC")), `"BASIC" is no value of the enum Level. It has BEGINNER, INTERMEDIATE, ADVANCED`},
		"a size of text":       {data.Where("title", data.Size(data.Eq("x"))), "Workshop.title: size: string cannot be sent for Int"},
		"a size that begins":   {data.Where("title", data.Size(data.BeginsWith(1))), `a length is not compared by "beginsWith"`},
		"no size":              {data.RawFilter(map[string]any{"title": map[string]any{"size": 3}}), "size takes a condition"},
		"no truth":             {data.RawFilter(map[string]any{"title": map[string]any{"attributeExists": "yes"}}), "attributeExists takes true or false"},
		"no attribute type":    {data.RawFilter(map[string]any{"title": map[string]any{"attributeType": "text"}}), "attributeType takes no text"},
		"no conditions":        {data.RawFilter(map[string]any{"title": "A"}), "a map of operators and values belongs here"},
		"no list":              {data.RawFilter(map[string]any{"and": map[string]any{}}), `"and" takes a list of filters`},
		"no filters":           {data.RawFilter(map[string]any{"or": []any{1}}), `"or" takes a list of filters`},
		"raw or of none":       {data.RawFilter(map[string]any{"or": []any{}}), `"or" has no filters`},
		"raw without any":      {data.RawFilter(map[string]any{"title": map[string]any{}}), "Workshop.title: there is no condition"},
		"no size within":       {data.RawFilter(map[string]any{"title": map[string]any{"size": map[string]any{}}}), "Workshop.title: there is no condition"},
		"no filter":            {data.RawFilter(map[string]any{"not": 1}), `"not" takes a filter`},
		"too deep":             {deep, "nested too deeply"},
		"without an end":       {data.RawFilter(endless), "nested too deeply"},
	} {
		t.Run(name, func(t *testing.T) {
			api.answer(`{"listWorkshops": {"items": []}}`)
			_, err := workshops.List(api.context(nil), data.ListInput{Filter: c.filter})
			if c.want != "" && !strings.HasPrefix(c.want, "{") {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(api.requests) > 0 {
					t.Errorf("%v after %d requests, want %s", err, len(api.requests), c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := `{"filter":` + c.want + `}`
			if c.want == "" {
				want = `{}`
			}
			if got := api.sent(); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
	}
}

// A condition of a mutation cannot be about the key.
func TestConditions(t *testing.T) {
	api := deploy(t)
	coupons, err := data.DynamicModelOf(api.app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	ctx, condition := api.context(nil), data.Where("percent", data.Lt(50))
	item := map[string]any{"code": "A", "percent": 5}
	for name, call := range map[string]func(data.Filter) error{
		"createCoupon": func(f data.Filter) error {
			_, err := coupons.Create(ctx, data.CreateInput{Item: item, Condition: f})
			return err
		},
		"updateCoupon": func(f data.Filter) error {
			_, err := coupons.Update(ctx, data.UpdateInput{Item: item, Condition: f})
			return err
		},
		"deleteCoupon": func(f data.Filter) error {
			_, err := coupons.Delete(ctx, data.DeleteInput{Key: data.Key{"code": "A"}, Condition: f})
			return err
		},
	} {
		api.answer(`{"` + name + `": {"code": "A"}}`)
		if err := call(condition); err != nil || !strings.Contains(api.sent(), `{"condition":{"percent":{"lt":50}},"input":{"code":"A"`) {
			t.Errorf("%s: %v, %s", name, err, api.sent())
		}
		api.answer(`{"` + name + `": {"code": "A"}}`)
		err := call(data.Where("code", data.Eq("A")))
		if err == nil || !strings.Contains(err.Error(), "a condition cannot be about a field of the key") || len(api.requests) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzFilter: a filter in the form of the API is refused, or valid by the deployed schema.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`{"title":{"eq":"a","size":{"gt":1}}}`, `{"and":[{"seats":{"between":[1,2]}},{"not":{"level":{"ne":"ADVANCED"}}}]}`,
		`{"or":[]}`, `{"formerLevels":{"eq":["ADVANCED",null]}}`, `{"touchedAt":{"attributeType":"_null"}}`, `{"extra":{"contains":"{"}}`,
	} {
		f.Add(s)
	}
	api := deploy(f)
	workshops, err := data.DynamicModelOf(api.app, "Workshop", "id")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var form map[string]any
		if json.Unmarshal([]byte(text), &form) != nil || form == nil {
			return
		}
		api.t = t
		api.answer(`{"listWorkshops": {"items": []}}`)
		_, err := workshops.List(api.context(nil), data.ListInput{Filter: data.RawFilter(form)})
		if (err == nil) != (len(api.requests) == 1) {
			t.Errorf("%v after %d requests", err, len(api.requests))
		}
	})
}
