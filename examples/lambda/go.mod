module github.com/amplify-go/amplify/examples/lambda

go 1.26.0

require (
	github.com/amplify-go/amplify v0.1.0
	github.com/amplify-go/amplify/amplifylambda v0.1.0
	github.com/aws/aws-lambda-go v1.55.1
)
