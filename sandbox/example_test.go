package sandbox_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify/sandbox"
)

// A test of an application starts a sandbox with the users that it needs, and gives the application
// the outputs.
func ExampleStart() {
	ctx := context.Background()
	s, err := sandbox.Start(ctx, sandbox.Config{
		AppOrigins: []string{"http://localhost:3000"},
		Users:      []sandbox.User{{Email: "ann@example.com", Password: "Only-4-tests", Groups: []string{"Admins"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close(ctx) }()

	outputs := s.Outputs() // for amplify.ParseConfig
	fmt.Println(bytes.Contains(outputs, []byte("http://localhost:3000/api/auth/sign-in-callback")))
	// Output: true
}

// Codes that Cognito would mail are there for tests, and for people at /inbox.
func ExampleSandbox_LastCode() {
	ctx := context.Background()
	s, err := sandbox.Start(ctx, sandbox.Config{Clients: []sandbox.Client{{ID: "my-client"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close(ctx) }()

	// The AWS SDK needs nothing but the address.
	api := cognito.New(cognito.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.URL())})
	_, err = api.SignUp(ctx, &cognito.SignUpInput{
		ClientId: aws.String("my-client"), Username: aws.String("ann@example.com"), Password: aws.String("Only-4-tests")})
	if err != nil {
		fmt.Println(err)
		return
	}
	code, err := s.LastCode(ctx, "ann@example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = api.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{
		ClientId: aws.String("my-client"), Username: aws.String("ann@example.com"), ConfirmationCode: &code})
	fmt.Println(len(code), err)
	// Output: 6 <nil>
}
