"""The Lambdas that Satchel is compared with, written as tutorials do; they import nothing of it."""
