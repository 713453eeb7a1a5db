package doctor_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
)

// A request without a session, examined offline.
func ExampleExamine() {
	cfg := amplify.Config{Auth: &amplify.AuthConfig{UserPoolID: "eu-west-1_Abc123456", UserPoolClientID: "4examplesclientid"}}
	request, err := http.NewRequest(http.MethodGet, "https://myapp.com/home", nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Cookie", "theme=dark")
	report := doctor.Examine(context.Background(), cfg, doctor.Input{
		Requests: []*http.Request{request},
		Offline:  true,
	})
	for _, f := range report.Findings {
		fmt.Printf("%s: %s\n", f.Check, f.Status)
	}
	// Output:
	// configuration: ok
	// origin: ok
	// cookies: ok
	// session: problem
}

// A page for the administrators of an application, which says how their own request is seen.
func ExampleExamine_handler() {
	var (
		cfg     amplify.Config
		options amplifyhttp.Options // those of the application
	)
	runner, err := amplifyhttp.NewServerRunner(cfg, options)
	if err != nil {
		panic(err)
	}
	administrators, err := runner.RequireGroup(amplifyhttp.Guard{}, "administrators")
	if err != nil {
		panic(err)
	}
	http.Handle("GET /debug/session", administrators(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, doctor.Examine(r.Context(), cfg, doctor.Input{Requests: []*http.Request{r}, Options: options}))
	})))
}
