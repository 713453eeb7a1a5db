package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// The next call of an operation is throttled; the one after it is not.
func ExampleSandbox_Faults() {
	ctx := context.Background()
	sb, err := sandbox.Start(ctx, sandbox.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close(ctx)

	if _, err := sb.Faults().Add(faults.Fault{Operation: "GetId", Outcome: faults.Throttle, Count: 1}); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, sb.URL(), strings.NewReader(`{"IdentityPoolId": "us-east-1:0"}`))
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", "AWSCognitoIdentityService.GetId")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%d %s\n", resp.StatusCode, body)
	}
	fmt.Println(sb.Calls())
	// Output:
	// 400 {"__type":"TooManyRequestsException","message":"Rate exceeded"}
	// 400 {"__type":"ResourceNotFoundException","message":"IdentityPool 'us-east-1:0' not found."}
	// map[GetId:2]
}
