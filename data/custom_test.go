package data_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

func TestOperations(t *testing.T) {
	api := deploy(t)
	ctx := api.context(nil)
	type result struct {
		Text  string
		Times *int
	}
	type arguments struct {
		Text  string
		Times *int
		Level level
	}
	zero := 0
	echo, err := data.OperationOf[result](api.app, "echo")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		arguments any
		want      string // variables, or an error
	}{
		"a struct":              {arguments{Text: "hi", Level: "ADVANCED"}, `{"level":"ADVANCED","text":"hi"}`},
		"a pointer to zero":     {&arguments{Text: "hi", Times: &zero}, `{"text":"hi","times":0}`},
		"a map":                 {map[string]any{"text": "", "times": nil}, `{"text":"","times":null}`},
		"a missing argument":    {arguments{Times: &zero}, "echo requires arguments 'text'"},
		"no arguments":          {nil, "echo requires arguments 'text'"},
		"an unknown argument":   {map[string]any{"text": "hi", "txt": 1}, `echo: there is no argument "txt"`},
		"a wrong type":          {map[string]any{"text": 1}, "echo: text: int cannot be sent for String"},
		"no value of the enum":  {map[string]any{"text": "a", "level": "HARD"}, `"HARD" is no value of the enum`},
		"arguments of no names": {[]string{"hi"}, "echo: []string has no fields"},
	} {
		t.Run(name, func(t *testing.T) {
			api.answer(`{"echo":{"text":"hi","times":null}}`)
			got, err := echo.Call(ctx, data.CallInput{Arguments: c.arguments})
			if !strings.HasPrefix(c.want, "{") {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(api.requests) > 0 {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			}
			if d := cmp.Diff(&result{Text: "hi"}, got); err != nil || d != "" || api.sent() != c.want {
				t.Errorf("%v, sent %s\n%s", err, api.sent(), d)
			}
		})
	}

	// Results of all kinds.
	count, err := data.OperationOf[int](api.app, "countSeats")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"countSeats":0}`, `{"countSeats":null}`)
	if n, err := count.Call(ctx, data.CallInput{Arguments: map[string]any{"levels": []level{"BEGINNER"}}}); err != nil || n == nil || *n != 0 {
		t.Error(n, err)
	}
	if n, err := count.Call(ctx, data.CallInput{}); err != nil || n != nil {
		t.Error(n, err)
	}
	labels, err := data.OperationOf[[]*string](api.app, "labels")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"labels":["a",null,""]}`)
	if l, err := labels.Call(ctx, data.CallInput{}); err != nil || len(*l) != 3 || (*l)[1] != nil {
		t.Error(l, err)
	}
	top, err := data.OperationOf[[]struct {
		Title    string
		Bookings data.Page[booking] `data:"limit=1"`
	}](api.app, "topWorkshops")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"topWorkshops":[{"title":"Clay","bookings":{"items":[]}}]}`)
	if w, err := top.Call(ctx, data.CallInput{Arguments: map[string]any{"limit": 1}}); err != nil || (*w)[0].Title != "Clay" {
		t.Error(w, err)
	}
	if got := api.sent(); got != `{"limit":1,"limit_1":1}` {
		t.Error(got)
	}
	publish, err := data.OperationOf[map[string]any](api.app, "publishWorkshop")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"publishWorkshop":{"id":"w1"}}`)
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if w, err := publish.Call(ctx, data.CallInput{Arguments: map[string]any{"workshopId": "w1", "at": at}}); err != nil || (*w)["id"] != "w1" {
		t.Error(w, err)
	}
	if got := api.sent(); got != `{"at":"2024-01-01T00:00:00.000Z","workshopId":"w1"}` || !strings.HasPrefix(api.requests[0].Query, "mutation") {
		t.Error(got)
	}
	register, err := data.OperationOf[bool](api.app, "registerAddress")
	if err != nil {
		t.Fatal(err)
	}
	api.answer(`{"registerAddress":false}`)
	token := data.Options{AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret("t")}
	in := data.CallInput{Arguments: struct {
		Address      address
		Alternatives []*address
	}{address{City: "X", Kind: "BILLING"}, []*address{{City: "Y"}, nil}}}
	if ok, err := register.With(token).Call(ctx, in); err != nil || *ok {
		t.Error(ok, err)
	}
	want := `{"address":{"city":"X","kind":"BILLING"},"alternatives":[{"city":"Y"},null]}`
	if got := api.sent(); got != want || api.requests[0].Header.Get("Authorization") != "t" {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestEnumValues(t *testing.T) {
	api := deploy(t)
	values, err := data.EnumValues(api.app, "Level")
	if d := cmp.Diff([]string{"BEGINNER", "INTERMEDIATE", "ADVANCED"}, values); err != nil || d != "" {
		t.Fatal(err, d)
	}
	values[0] = "changed"
	if again, _ := data.EnumValues(api.app, "Level"); again[0] != "BEGINNER" {
		t.Error("the caller changed the values")
	}
}
