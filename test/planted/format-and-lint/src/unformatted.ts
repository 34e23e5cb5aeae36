export const  name = "x";
