module hearken/bench/rules

go 1.26.0

require (
	github.com/expr-lang/expr v1.17.8
	hearken v0.0.0
)

require golang.org/x/text v0.43.0 // indirect

replace hearken => ../..
