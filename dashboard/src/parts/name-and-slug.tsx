import { TextInput, type TextInputProps } from "@mantine/core";
import { useState } from "react";
import { bounds, slugOf } from "../bounds.ts";

/** An input as a form holds it. */
type Field = Omit<TextInputProps, "onChange"> & {
  onChange: (value: string) => void;
  /** Whether a dialog that opens begins here. */
  "data-autofocus"?: true;
};

interface NameAndSlugProps {
  name: Field;
  slug: Field;
}

/** A name, and the slug that follows it for as long as nobody has written another. */
export function NameAndSlug({ name, slug }: NameAndSlugProps) {
  const [own, setOwn] = useState(false);
  return (
    <>
      <TextInput
        maxLength={bounds.nameMax}
        {...name}
        onChange={({ currentTarget: { value } }) => {
          name.onChange(value);
          if (!own) slug.onChange(slugOf(value));
        }}
      />
      <TextInput
        maxLength={bounds.slugMax}
        spellCheck={false}
        autoCapitalize="none"
        {...slug}
        onChange={({ currentTarget: { value } }) => {
          setOwn(value !== "");
          slug.onChange(value);
        }}
      />
    </>
  );
}

/** Those of a new account. */
export function AccountNameAndSlug({ name, slug }: NameAndSlugProps) {
  return (
    <NameAndSlug
      name={{ label: "Account name", autoComplete: "organization", ...name }}
      slug={{
        label: "Account slug",
        description: "Part of the dashboard's address. It never changes.",
        ...slug,
      }}
    />
  );
}
