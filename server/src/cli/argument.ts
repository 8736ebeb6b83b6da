import { InvalidArgumentError } from "commander";

/** An argument that is a number of things. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError("Takes a whole number from 1 on.");
  return Number(text);
}
