package data_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/benchtest"
)

// BenchmarkList compares the CPU of a list of 1,000 items with that of encoding/json decoding the
// same bytes into the same type. The goal is a ratio of 1.3. The answer comes from memory; what
// remains of the call is in BenchmarkCall.
func BenchmarkList(b *testing.B) {
	type item struct {
		ID, Title, Level string
		Price            *float64
		Seats            int
		Tags             []string
		HeldOn           *data.Date
		CreatedAt        time.Time
		StudioID         string `json:"studioId"`
		Owner            *string
	}
	var answer bytes.Buffer
	answer.WriteString(`{"data":{"listWorkshops":{"items":[`)
	for i := range 1000 {
		if i > 0 {
			answer.WriteByte(',')
		}
		fmt.Fprintf(&answer, `{"id":"8a1c1f4e-0000-4000-8000-%012d","title":"Workshop %d","level":"BEGINNER","price":12.5,"seats":%d,`+
			`"tags":["clay","evening"],"heldOn":"2024-05-17","createdAt":"2024-05-01T10:00:00.123Z","studioId":"s1","owner":"u::alice"}`, i, i, i)
	}
	answer.WriteString(`],"nextToken":null,"__typename":"ModelWorkshopConnection"}}}`)

	api := deploy(b)
	cfg := api.app.Config()
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
			Body: io.NopCloser(bytes.NewReader(answer.Bytes())), ContentLength: int64(answer.Len()),
		}, nil
	})
	app, err := amplify.New(cfg, amplify.Options{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		b.Fatal(err)
	}
	workshops, err := data.ModelOf[item](app, "Workshop")
	if err != nil {
		b.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(b.Context(), app, amplify.Providers{})
	defer done()

	list := func() {
		page, err := workshops.List(ctx, data.ListInput{Limit: 1000})
		if err != nil || len(page.Items) != 1000 {
			b.Fatal(page, err)
		}
	}
	plain := func() {
		var envelope struct {
			Data struct{ ListWorkshops data.Page[item] }
		}
		body, err := io.ReadAll(bytes.NewReader(answer.Bytes()))
		if err == nil {
			err = json.Unmarshal(body, &envelope)
		}
		if err != nil || len(envelope.Data.ListWorkshops.Items) != 1000 {
			b.Fatal(err)
		}
	}
	const round = 5 // so that both meet the same state of the machine
	var listed, decoded time.Duration
	for b.Loop() {
		listed += benchtest.CPU(b, func() { repeat(round, list) })
		decoded += benchtest.CPU(b, func() { repeat(round, plain) })
	}
	b.ReportMetric(float64(listed)/float64(decoded), "cpu-ratio")
	b.ReportMetric(testing.AllocsPerRun(20, list), "list-allocs")
	b.ReportMetric(testing.AllocsPerRun(20, plain), "plain-allocs")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
